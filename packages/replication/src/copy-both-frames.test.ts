import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CopyBothFrames } from './copy-both-frames.ts';

function frame(tag: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.write(tag, 'latin1');
  header.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([header, body]);
}

function collector() {
  const seen: string[] = [];
  const frames = new CopyBothFrames({
    copyData: (bytes, start, end) => seen.push(`d:${bytes.toString('hex', start, end)}`),
    other: (message) => seen.push(`${String.fromCharCode(message[0]!)}:${message.toString('hex', 5)}`),
    drained: () => undefined,
  });
  return { seen, frames };
}

const messages = fc.array(
  fc.tuple(fc.constantFrom('d', 'd', 'd', 'E', 'Z'), fc.uint8Array({ maxLength: 40 })),
  {
    maxLength: 30,
  },
);

test('the messages are the same however the network cuts the bytes', () => {
  fc.assert(
    fc.property(messages, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (sent, cuts) => {
      const { seen, frames } = collector();
      const bytes = Buffer.concat(sent.map(([tag, body]) => frame(tag, body)));
      for (let offset = 0, i = 0; offset < bytes.length; i++) {
        const length = cuts[i % cuts.length]!;
        frames.push(Buffer.from(bytes.subarray(offset, offset + length)));
        offset += length;
      }
      expect(seen).toEqual(sent.map(([tag, body]) => `${tag}:${Buffer.from(body).toString('hex')}`));
    }),
  );
});

test('a pause in the middle of a buffer keeps what follows, and arrivals meanwhile come after it', () => {
  fc.assert(
    fc.property(messages, fc.nat(20), (sent, pauseAfter) => {
      const seen: string[] = [];
      let isPausing = true;
      const frames: CopyBothFrames = new CopyBothFrames({
        copyData: (bytes, start, end) => {
          seen.push(bytes.toString('hex', start, end));
          if (isPausing && seen.length === pauseAfter) frames.pause();
        },
        other: (message) => seen.push(message.toString('hex', 5)),
        drained: () => undefined,
      });
      const bytes = Buffer.concat(sent.map(([tag, body]) => frame(tag, body)));
      frames.push(bytes);
      frames.push(frame('d', Buffer.from('after')));
      isPausing = false;
      frames.resume();
      const expected = sent.map(([, body]) => Buffer.from(body).toString('hex'));
      expect(seen).toEqual([...expected, Buffer.from('after').toString('hex')]);
    }),
  );
});

test.each([0, 3, 0x40000001, 0xffffffff])('a length of %d is refused', (length) => {
  const { frames } = collector();
  const bytes = Buffer.from([0x64, 0, 0, 0, 0]);
  bytes.writeUInt32BE(length, 1);
  expect(() => frames.push(bytes)).toThrow('Impossible message length');
});

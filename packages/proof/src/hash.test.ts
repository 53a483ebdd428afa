import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { decodeEntryBundle, encodeEntryBundle } from './entry-bundle.ts';
import { hashOf } from './hash.ts';
import { sha256Into } from './node-crypto.ts';
import { SequenceRanges } from './sequence-ranges.ts';

describe('sha256Into', () => {
  it('hashes a slice, also into itself, and writes 32 bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 40, maxLength: 300 }),
        fc.nat(),
        fc.nat(),
        fc.nat(),
        (bytes, a, b, c) => {
          const [start, end] = [a % bytes.length, b % bytes.length].sort((x, y) => x - y) as [number, number];
          const at = c % (bytes.length - 31);
          const expected = bytes.slice();
          expected.set(createHash('sha256').update(bytes.subarray(start, end)).digest(), at);
          sha256Into(bytes, start, end, bytes, at);
          expect(bytes).toEqual(expected);
          expect(hashOf(sha256Into, bytes)).toEqual(
            new Uint8Array(createHash('sha256').update(bytes).digest()),
          );
        },
      ),
    );
  });
});

describe('base64', () => {
  it('is that of Buffer, and has one text for given bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(63), fc.nat(), (bytes, value, position) => {
        const text = Buffer.from(bytes).toString('base64');
        expect(encodeBase64(bytes)).toBe(text);
        expect(decodeBase64(text)).toEqual(bytes);
        const other = text.split('');
        other[position % (text.length + 1)] =
          'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'[value]!;
        const decoded = decodeBase64(other.join(''));
        if (decoded !== undefined) expect(encodeBase64(decoded)).toBe(other.join(''));
      }),
    );
    for (const text of [
      'A',
      'AA',
      'AAA',
      'AB==',
      'AAB=',
      'A===',
      '====',
      'AAAA====',
      'AA AA',
      'AA-_',
      'AA==AAAA',
      'é===',
    ])
      expect(decodeBase64(text), text).toBeUndefined();
  });
});

describe('entry bundles', () => {
  it('are read as they were written, and refused where they are cut', () => {
    const records = [new Uint8Array(0), Uint8Array.of(1), new Uint8Array(300).fill(2)];
    const bundle = encodeEntryBundle(records);
    expect([...bundle.slice(0, 7)]).toEqual([0, 0, 0, 1, 1, 1, 44]);
    expect(decodeEntryBundle(bundle)).toEqual(records);
    for (const end of [1, 4, 6, bundle.length - 1])
      expect(() => decodeEntryBundle(bundle.subarray(0, end))).toThrow(RangeError);
    expect(() => encodeEntryBundle([new Uint8Array(65_536)])).toThrow(RangeError);
  });
});

describe('sequence ranges', () => {
  it('differ as sets do', () => {
    const ranges = fc.array(fc.tuple(fc.nat(60), fc.nat(8)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60)), ranges, (sequences, others) => {
        const own = new SequenceRanges();
        for (const sequence of [...sequences].sort((a, b) => a - b)) own.add(sequence);
        const other = new SequenceRanges();
        for (const [first, length] of others) other.add(first, first + length);
        const left = own
          .without(other)
          .flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
        const named = (sequence: number) =>
          others.some(([first, length]) => sequence >= first && sequence <= first + length);
        expect(left).toEqual([...sequences].sort((a, b) => a - b).filter((sequence) => !named(sequence)));
      }),
    );
  });
});

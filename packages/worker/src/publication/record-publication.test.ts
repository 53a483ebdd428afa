import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeEntryBundle, encodeEntryBundle } from '@bemi-db/proof/entry-bundle';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileServer, startFileServer } from '../../test/publication/file-server.ts';
import { folder, GrowingLog, origin, readPublishedLog } from '../../test/publication/growing-log.ts';
import { type S3StandIn, startS3StandIn } from '../../test/publication/s3-stand-in.ts';
import { waitUntil } from '../../test/publication/wait-until.ts';
import type { PublicationTarget } from './publication-target.ts';
import { publicationTarget } from './publication-url.ts';
import { Publisher, type PublisherOptions } from './publisher.ts';

const environment = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'secret',
  BEMI_CHECKPOINT_TOKEN: 'token',
};

let directory: string;
let files: FileServer;
let s3: S3StandIn;
let publishers: Publisher[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bemi-records-'));
  files = await startFileServer('token');
  s3 = await startS3StandIn({
    ...{ bucket: 'the-bucket', region: 'us-east-1', hasObjectLock: true },
    ...{ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
  });
  publishers = [];
});
afterEach(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await Promise.all([files.close(), s3.close(), rm(directory, { recursive: true })]);
});

function fileTarget(url: string): PublicationTarget {
  const target = publicationTarget(url, environment);
  if (target.kind !== 'files') throw new Error('A witness holds no files');
  return target;
}
const directoryTarget = () => fileTarget(`file://${directory}?records=yes`);

function publisherOf(
  log: GrowingLog,
  targets: PublicationTarget[],
  options: Partial<PublisherOptions> = {},
): Publisher {
  const { fullTiles, records } = log;
  const publisher = new Publisher({ targets, origin, fullTiles, records, minIntervalMs: 20, ...options });
  publishers.push(publisher);
  return publisher;
}

const bundlePath = (index: number, width: number) =>
  `${folder}/${formatTilePath({ level: 'entries', index, width })}`;

/** The records of a target up to a size, from its full bundles and its partial one; `undefined` for a bundle that is absent. */
async function publishedRecords(target: PublicationTarget, size: number): Promise<(string[] | undefined)[]> {
  const bundles: (string[] | undefined)[] = [];
  for (let from = 0; from < size; from += 256) {
    const bytes = await target.read(bundlePath(from / 256, Math.min(256, size - from)));
    bundles.push(bytes && decodeEntryBundle(bytes).map((record) => Buffer.from(record).toString()));
  }
  return bundles;
}

const expectedRecords = (size: number) =>
  Array.from({ length: Math.ceil(size / 256) }, (_, index) =>
    Array.from({ length: Math.min(256, size - index * 256) }, (__, i) => `honest ${index * 256 + i}`),
  );

async function publish(publisher: Publisher, log: GrowingLog, entries: number): Promise<void> {
  publisher.offer(log.grow(entries));
  expect(await publisher.flush(5_000)).toBe(true);
}

describe('records', () => {
  it('are published where the URL says so, with the checkpoint that covers them, and nowhere else', async () => {
    const withRecords = [
      directoryTarget(),
      fileTarget(`${files.url}/log?records=yes`),
      fileTarget(`s3://the-bucket?endpoint=${s3.url}&lock=governance&retainDays=10&records=yes`),
    ];
    const without = fileTarget(`${files.url}/without`);
    const log = new GrowingLog();
    const publisher = publisherOf(log, [...withRecords, without]);
    for (const entries of [2, 254, 1, 2_600, 99]) {
      await publish(publisher, log, entries);
      const { size } = log.grow(0);
      for (const target of withRecords) {
        expect(await publishedRecords(target, size)).toEqual(expectedRecords(size));
        expect((await readPublishedLog((path) => target.read(path))).size).toBe(size);
      }
    }
    expect(
      [...files.files.keys()].some((path) => path.startsWith('/without/') && path.includes('/entries/')),
    ).toBe(false);
    // Partial bundles go when the full one is there; full ones are locked.
    expect((await readdir(join(directory, folder, 'tile/entries'))).sort()).toEqual(
      [...Array.from({ length: 11 }, (_, i) => String(i).padStart(3, '0')), '011.p'].sort(),
    );
    expect(s3.versions.get(bundlePath(3, 256))![0]!.lockMode).toBe('GOVERNANCE');
    expect(s3.versions.get(bundlePath(11, log.grow(0).size % 256))![0]!.lockMode).toBeUndefined();
  });

  it('go on after a restart, and where they were turned off for a while', async () => {
    const log = new GrowingLog();
    const before = publisherOf(log, [fileTarget(`${files.url}/log?records=yes`)]);
    await publish(before, log, 10_000);
    await before.stop();
    const off = publisherOf(log, [fileTarget(`${files.url}/log`)]);
    await publish(off, log, 10_000);
    await off.stop();
    const target = fileTarget(`${files.url}/log?records=yes`);
    const read: number[] = [];
    const after = publisherOf(log, [target], {
      records: (from, to) => {
        read.push(from);
        return log.records(from, to);
      },
    });
    await publish(after, log, 300);
    expect(await publishedRecords(target, 20_300)).toEqual(expectedRecords(20_300));
    // Not from the beginning: 39 bundles were there, of which those of one step are looked at again.
    expect(Math.min(...read)).toBe((39 - 8) * 256);
  });

  it('that were altered or deleted in the audit database are not published; tiles and checkpoints are', async () => {
    for (const stored of [Buffer.from('forged'), undefined]) {
      const log = new GrowingLog();
      const target = directoryTarget();
      const publisher = publisherOf(log, [target]);
      await publish(publisher, log, 1_000);
      const offer = log.grow(5_000);
      const honest = log.stored[3_000];
      log.stored[3_000] = stored;
      publisher.offer(offer);
      await waitUntil(() => publisher.status().targets[0]!.problem !== undefined);
      expect(publisher.status().targets[0]!.problem).toMatchObject({
        code: 'publication-records',
        message: expect.stringContaining(
          `Entry 3000 in the audit database ${stored ? 'was altered' : 'is missing'}`,
        ),
      });
      expect((await readPublishedLog((path) => target.read(path))).size).toBe(6_000);
      expect(await target.read(bundlePath(11, 256))).toBeUndefined();
      log.stored[3_000] = honest;
      await publish(publisher, log, 1);
      expect(await publishedRecords(target, 6_001)).toEqual(expectedRecords(6_001));
      expect(publisher.status().targets[0]!.problem).toBeUndefined();
      await publisher.stop();
      await rm(join(directory, folder), { recursive: true });
    }
  });

  it('that retention has dropped are left out', async () => {
    const log = new GrowingLog();
    const offer = log.grow(3_000);
    log.droppedBefore = 600;
    for (let sequence = 2; sequence < 600; sequence++) log.stored[sequence] = undefined;
    const target = directoryTarget();
    const publisher = publisherOf(log, [target]);
    publisher.offer(offer);
    expect(await publisher.flush(5_000)).toBe(true);
    const [first, second, third, ...others] = await publishedRecords(target, 3_000);
    expect([first, second, third]).toEqual([undefined, undefined, undefined]);
    expect(others).toEqual(expectedRecords(3_000).slice(3));
  });

  it('are never written over by others', async () => {
    const log = new GrowingLog();
    const target = directoryTarget();
    const options = { contentType: '', isImmutable: true, isRetained: true };
    const offer = log.grow(300);
    const { length } = encodeEntryBundle(log.stored.slice(0, 256) as Uint8Array[]);
    await target.write(bundlePath(0, 256), Buffer.alloc(length, 'forged'), options);
    const publisher = publisherOf(log, [target]);
    publisher.offer(offer);
    expect(await publisher.flush(1_000)).toBe(false);
    expect(publisher.status().targets[0]!.problem).toMatchObject({ code: 'publication-conflict' });
    expect(Buffer.from((await target.read(bundlePath(0, 256)))!).toString()).toMatch(/^forged/);
  });

  it('hold up nobody for long: while the pipeline is busy they take a twentieth of the time, and a flush is quick', async () => {
    const log = new GrowingLog();
    const target = directoryTarget();
    // From the first bundle on: tiles are written by then.
    let isBusy = false;
    const publisher = publisherOf(log, [target], {
      isBusy: () => isBusy,
      records: (from, to) => {
        isBusy = true;
        return log.records(from, to);
      },
    });
    publisher.offer(log.grow(256 * 160));
    await waitUntil(async () => (await target.read(bundlePath(0, 256))) !== undefined);
    expect(await publisher.flush(20_000)).toBe(true);
    // 160 bundles are twenty steps, with pauses of 19 times what each takes.
    expect(await target.read(bundlePath(159, 256))).toBeUndefined();
    await publisher.stop();
    const next = publisherOf(log, [target]);
    next.offer(log.grow(1));
    await waitUntil(async () => (await target.read(`${folder}/checkpoint`)) !== undefined);
    expect(await publishedRecords(target, 256 * 160 + 1)).toEqual(expectedRecords(256 * 160 + 1));
  });
});

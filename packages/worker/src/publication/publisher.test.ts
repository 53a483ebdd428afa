import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileServer, startFileServer } from '../../test/publication/file-server.ts';
import { folder, GrowingLog, origin, readPublishedLog } from '../../test/publication/growing-log.ts';
import { keepLogLines } from '../../test/publication/kept-log-lines.ts';
import { type S3StandIn, startS3StandIn } from '../../test/publication/s3-stand-in.ts';
import { waitUntil } from '../../test/publication/wait-until.ts';
import type { FullTiles } from './offered-tree.ts';
import type { PublicationTarget } from './publication-target.ts';
import { publicationTarget } from './publication-url.ts';
import { readPublishedCheckpoints } from './published-checkpoints.ts';
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
  directory = await mkdtemp(join(tmpdir(), 'bemi-publisher-'));
  files = await startFileServer('token');
  s3 = await startS3StandIn({
    bucket: 'the-bucket',
    region: 'us-east-1',
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'secret',
    hasObjectLock: true,
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
const directoryTarget = () => fileTarget(directory);
const httpTarget = () => fileTarget(`${files.url}/log`);
const s3Target = () => fileTarget(`s3://the-bucket?endpoint=${s3.url}&lock=governance&retainDays=10`);

function publisherOf(
  targets: PublicationTarget[],
  fullTiles: FullTiles,
  options: Partial<PublisherOptions> = {},
): Publisher {
  const publisher = new Publisher({ targets, origin, fullTiles, minIntervalMs: 20, ...options });
  publishers.push(publisher);
  return publisher;
}

const sizeIn = async (target: PublicationTarget) =>
  (await readPublishedLog((path) => target.read(path))).size;
const isPublished = async (target: PublicationTarget, size: number) =>
  Buffer.from((await target.read(`${folder}/checkpoint`)) ?? [])
    .toString()
    .split('\n')[1] === String(size);

describe('a log', () => {
  it('grows in every target, and an outsider can check it there at each size', async () => {
    const targets = [directoryTarget(), httpTarget(), s3Target()];
    const log = new GrowingLog();
    const publisher = publisherOf(targets, log.fullTiles, { keepIntervalMs: 0 });
    for (const entries of [2, 253, 1, 1, 300, 65_000, 400, 7]) {
      const { size } = log.grow(0);
      publisher.offer(log.grow(entries));
      for (const target of targets) {
        await waitUntil(() => isPublished(target, size + entries));
        expect(await sizeIn(target)).toBe(size + entries);
      }
    }
    // A file is there a moment before it is known to be.
    await waitUntil(() => publisher.status().targets.every((target) => target.lastPublishedSize === 65_964));
    expect(publisher.status()).toMatchObject({
      witnesses: 0,
      targets: targets.map(({ name }) => ({
        kind: 'files',
        name,
        isOffHost: false,
        lastPublishedAt: expect.any(Date),
        lastPublishedSize: 65_964,
        problem: undefined,
      })),
    });
    // Partial tiles go when the full one is there; old checkpoints stay.
    expect(await readdir(join(directory, folder, 'tile/0'))).not.toContain('000.p');
    expect(await readdir(join(directory, folder, 'tile/1'))).toContain('001.p');
    expect((await readdir(join(directory, folder, 'checkpoints'))).map(Number).sort((a, b) => a - b)).toEqual(
      [2, 255, 256, 257, 557, 65_557, 65_957, 65_964],
    );
    // Locked are full tiles and old checkpoints, nothing else.
    for (const [path, [version]] of s3.versions)
      expect(version!.lockMode, path).toBe(
        /\/checkpoints\/\d+$|\/tile\/\d\/[x\d/]+$/.test(path) ? 'GOVERNANCE' : undefined,
      );
  });

  it('is published once a second at most, the latest of it, and kept once a minute and at the end', async () => {
    const log = new GrowingLog();
    const publisher = new Publisher({ targets: [s3Target()], origin, fullTiles: log.fullTiles });
    publishers.push(publisher);
    const endMs = performance.now() + 2_500;
    while (performance.now() < endMs) {
      publisher.offer(log.grow(3));
      await delay(5);
    }
    const { size } = log.grow(0);
    const kept = () => [...s3.versions.keys()].filter((path) => path.includes('/checkpoints/'));
    expect(kept()).toHaveLength(1);
    expect(await publisher.flush(2_000)).toBe(true);
    expect(await sizeIn(s3Target())).toBe(size);
    // At 0, 1 and 2 s, and flushed; fewer where the machine is busy.
    expect([3, 4]).toContain(s3.versions.get(`${folder}/checkpoint`)!.length);
    expect(kept()).toEqual([expect.stringMatching(/checkpoints\/\d+$/), `${folder}/checkpoints/${size}`]);
  });

  it('goes on after a restart from what the target has', async () => {
    const log = new GrowingLog();
    const before = publisherOf([s3Target()], log.fullTiles);
    before.offer(log.grow(1_000));
    expect(await before.flush(2_000)).toBe(true);
    await before.stop();
    s3.requests.length = 0;

    const after = publisherOf([s3Target()], log.fullTiles);
    after.offer(log.grow(1_000));
    expect(await after.flush(2_000)).toBe(true);
    expect(await sizeIn(s3Target())).toBe(2_000);
    const tiles = s3.requests.filter(({ method, path }) => method === 'PUT' && /tile\/0\/\d+$/.test(path));
    expect(tiles.map(({ path }) => path.slice(-3)).sort()).toEqual(['003', '004', '005', '006']);
  });

  it('is published anew where somebody has emptied the target', async () => {
    const log = new GrowingLog();
    const publisher = publisherOf([directoryTarget()], log.fullTiles, { recheckMs: 0 });
    publisher.offer(log.grow(1_000));
    await waitUntil(() => isPublished(directoryTarget(), 1_000));
    await rm(join(directory, folder), { recursive: true });
    publisher.offer(log.grow(10));
    await waitUntil(() => isPublished(directoryTarget(), 1_010));
    expect(await sizeIn(directoryTarget())).toBe(1_010);
  });
});

describe('a target', () => {
  it('that is down is caught up with in steps when it is back; the others go on', async () => {
    const log = new GrowingLog();
    const logger = keepLogLines();
    let largestStep = 0;
    const fullTiles: FullTiles = (level, from, to) => {
      largestStep = Math.max(largestStep, to - from);
      return log.fullTiles(level, from, to);
    };
    const publisher = publisherOf([httpTarget(), directoryTarget()], fullTiles, { logger });
    publisher.offer(log.grow(100));
    await waitUntil(() => publisher.status().targets[0]?.lastPublishedSize === 100);
    files.isDown = true;
    for (let i = 0; i < 20; i++) {
      publisher.offer(log.grow(5_000));
      await delay(30);
    }
    await waitUntil(() => isPublished(directoryTarget(), 100_100));
    // The file is there a moment before it is known to be.
    await waitUntil(() => publisher.status().targets[1]?.lastPublishedSize === 100_100);
    expect(publisher.status().targets).toMatchObject([
      { lastPublishedSize: 100, problem: { code: 'publication-unreachable' } },
      { lastPublishedSize: 100_100, problem: undefined },
    ]);
    files.isDown = false;
    await waitUntil(() => publisher.status().targets[0]?.lastPublishedSize === 100_100);
    expect(await sizeIn(httpTarget())).toBe(100_100);
    expect(largestStep).toBe(32);
    // However often it was tried.
    expect(logger.lines.map(({ level, message }) => [level, message.replace(/\d{3,}/g, 'N')])).toEqual([
      ['warn', expect.stringContaining("can't be reached")],
      ['info', 'Publishing again'],
    ]);
  });

  it('that is slow delays no other, nor whoever offers', async () => {
    files.delayMs = 800;
    const log = new GrowingLog();
    const publisher = publisherOf([httpTarget(), directoryTarget()], log.fullTiles);
    const offers = Array.from({ length: 10 }, () => log.grow(300));
    const startMs = performance.now();
    for (const offer of offers) publisher.offer(offer);
    expect(performance.now() - startMs).toBeLessThan(20);
    await waitUntil(() => isPublished(directoryTarget(), 3_000));
    expect(performance.now() - startMs).toBeLessThan(800);
    expect(await publisher.flush(100)).toBe(false);
  });

  it('that holds a checkpoint of another log, a longer one, or nonsense, is left as it is', async () => {
    const other = new GrowingLog('forged');
    const longer = new GrowingLog();
    const cases = [
      [other.grow(50).checkpoint, '50 entries that are not the first'],
      [longer.grow(500).checkpoint, 'a checkpoint of 500 entries, and this log has 100'],
      [longer.grow(1).checkpoint.replaceAll('870/1', '871/1'), 'another log'],
      ['<html>', 'something else in place of a checkpoint'],
      ['', 'something else in place of a checkpoint'],
    ] as const;
    for (const [held, message] of cases) {
      files.files.clear();
      files.files.set(`/log/${folder}/checkpoint`, Buffer.from(held));
      const log = new GrowingLog();
      const logger = keepLogLines();
      const publisher = publisherOf([httpTarget(), directoryTarget()], log.fullTiles, { logger });
      publisher.offer(log.grow(100));
      expect(await publisher.flush(2_000)).toBe(false);
      expect(publisher.status().targets[0]!.problem).toMatchObject({
        code: 'publication-conflict',
        kind: 'refuse',
        message: expect.stringContaining(message),
      });
      await waitUntil(() => publisher.status().targets[1]?.lastPublishedSize === 100);
      expect(publisher.status().targets[1]!.problem).toBeUndefined();
      expect([...files.files.values()].map(String)).toEqual([held]);
      expect(logger.lines).toMatchObject([{ level: 'error' }]);
      await publisher.stop();
      await rm(join(directory, folder), { recursive: true });
    }
  });

  it('that gets another checkpoint meanwhile is noticed, and published to again when it is put right', async () => {
    const log = new GrowingLog();
    const publisher = publisherOf([directoryTarget()], log.fullTiles, { recheckMs: 50 });
    publisher.offer(log.grow(100));
    await waitUntil(() => isPublished(directoryTarget(), 100));
    const file = join(directory, folder, 'checkpoint');
    const honest = await readFile(file);
    await writeFile(file, new GrowingLog('forged').grow(100).checkpoint);
    await delay(60);
    publisher.offer(log.grow(1));
    await waitUntil(() => publisher.status().targets[0]!.problem?.code === 'publication-conflict');
    await writeFile(file, honest);
    await waitUntil(() => isPublished(directoryTarget(), 101));
    await waitUntil(() => publisher.status().targets[0]!.problem === undefined);
  });

  it('that holds another tile is left as it is', async () => {
    const log = new GrowingLog();
    const offer = log.grow(300);
    await directoryTarget().write(`${folder}/tile/0/000`, new Uint8Array(8192), {
      contentType: '',
      isImmutable: true,
      isRetained: true,
    });
    const publisher = publisherOf([directoryTarget()], log.fullTiles);
    publisher.offer(offer);
    expect(await publisher.flush(1_000)).toBe(false);
    expect(publisher.status().targets[0]!.problem?.message).toContain('another tile at');
    expect(await directoryTarget().read(`${folder}/checkpoint`)).toBeUndefined();
  });

  it('never gets a tile that was altered in the audit database', async () => {
    for (const [level, index] of [
      [0, 5],
      [0, 255],
      [1, 0],
    ] as const) {
      const log = new GrowingLog();
      const offer = log.grow(66_000);
      log.tile(level, index)[100]! ^= 1;
      const publisher = publisherOf([httpTarget()], log.fullTiles);
      publisher.offer(offer);
      await waitUntil(() => publisher.status().targets[0]!.problem !== undefined);
      expect(publisher.status().targets[0]!.problem).toMatchObject({
        code: 'publication-tiles',
        message: expect.stringContaining(`${level}/${index}`),
      });
      expect(files.files.has(`/log/${folder}/checkpoint`)).toBe(false);
      await publisher.stop();
    }
  });

  it('is caught up with slowly while the pipeline is busy, but its checkpoints are kept, and a flush is quick', async () => {
    const log = new GrowingLog();
    let isBusy = true;
    files.delayMs = 10;
    const publisher = publisherOf([httpTarget()], log.fullTiles, {
      isBusy: () => isBusy,
      keepIntervalMs: 50,
    });
    for (let i = 0; i < 4; i++) {
      publisher.offer(log.grow(256 * 40));
      await delay(100);
    }
    await waitUntil(
      () => [...files.files.keys()].filter((path) => path.includes('/checkpoints/')).length > 1,
    );
    isBusy = false;
    expect(await publisher.flush(20_000)).toBe(true);
    expect(await sizeIn(httpTarget())).toBe(256 * 160);
  });

  it('is retried while the audit database does not answer', async () => {
    const log = new GrowingLog();
    let failures = 3;
    const publisher = publisherOf([directoryTarget()], (level, from, to) => {
      if (failures-- > 0) throw new Error('connection is gone');
      return log.fullTiles(level, from, to);
    });
    publisher.offer(log.grow(600));
    await waitUntil(() => isPublished(directoryTarget(), 600));
    expect(failures).toBeLessThan(0);
  });
});

describe('at the start', () => {
  it('what the targets hold is read, and who can not be read is named', async () => {
    const log = new GrowingLog();
    const { checkpoint } = log.grow(10);
    const options = { contentType: '', isImmutable: false, isRetained: false };
    await directoryTarget().write(`${folder}/checkpoint`, Buffer.from(checkpoint), options);
    files.isDown = true;
    const found = await readPublishedCheckpoints([directoryTarget(), httpTarget(), s3Target()], origin);
    expect(found.checkpoints).toEqual([{ where: directory, text: checkpoint }]);
    expect(found.unread).toMatchObject([
      { where: `${files.url}/log`, problem: { code: 'publication-unreachable' } },
    ]);
  });
});

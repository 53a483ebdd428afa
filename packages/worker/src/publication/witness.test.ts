import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseCheckpoint, verifySignatures } from '@bemi-db/proof/checkpoint';
import { verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { formatVerifierKey, type VerifierKey } from '@bemi-db/proof/verifier-key';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folder, GrowingLog, logKey, origin } from '../../test/publication/growing-log.ts';
import { keepLogLines } from '../../test/publication/kept-log-lines.ts';
import { waitUntil } from '../../test/publication/wait-until.ts';
import { startWitnessServer, type WitnessServer } from '../../test/publication/witness-server.ts';
import { publicationTarget } from './publication-url.ts';
import { Publisher, type PublisherOptions } from './publisher.ts';

let directory: string;
let witness: WitnessServer;
let second: WitnessServer;
let publishers: Publisher[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bemi-witness-'));
  witness = await startWitnessServer('witness.example/one', [logKey]);
  second = await startWitnessServer('witness.example/second', [logKey]);
  publishers = [];
});
afterEach(async () => {
  await Promise.all(publishers.map((publisher) => publisher.stop()));
  await Promise.all([witness.close(), second.close(), rm(directory, { recursive: true })]);
});

function publisherOf(
  log: GrowingLog,
  witnesses: readonly { readonly url: string; readonly key: VerifierKey }[],
  options: Partial<PublisherOptions> = {},
): Publisher {
  const urls = witnesses.map(({ url, key }) => `witness+${url}/submit#${formatVerifierKey(key)}`);
  const publisher = new Publisher({
    targets: [directory, ...urls].map((url) => publicationTarget(url, {})),
    origin,
    fullTiles: log.fullTiles,
    minIntervalMs: 20,
    ...options,
  });
  publishers.push(publisher);
  return publisher;
}

/** Whose signatures the published checkpoint has, and that they verify. */
async function signersIn(path = 'checkpoint'): Promise<{ size: number; signers: string[] }> {
  const { size, note } = parseCheckpoint(await readFile(join(directory, folder, path), 'utf8'));
  const check = await verifySignatures(note, [logKey, witness.key, second.key], verifyEd25519);
  if (!check.valid) throw new Error('The checkpoint does not verify');
  return { size, signers: check.signatures.map(({ key }) => key.name) };
}

const isPublished = async (size: number) =>
  (await readFile(join(directory, folder, 'checkpoint'), 'utf8').catch(() => '')).includes(`\n${size}\n`);
const statusOf = (publisher: Publisher, i = 1) => publisher.status().targets[i]!;

describe('witnesses', () => {
  it('cosign what is published, each from what it knows', async () => {
    const log = new GrowingLog();
    const publisher = publisherOf(log, [witness, second]);
    for (const entries of [3, 600, 1, 30_000, 5]) {
      const offer = log.grow(entries);
      publisher.offer(offer);
      expect(await publisher.flush(5_000)).toBe(true);
      const { size, signers } = await signersIn();
      expect(size).toBe(offer.size);
      expect(signers[0]).toBe(origin);
      expect(signers.slice(1).sort()).toEqual([witness.key.name, second.key.name]);
    }
    expect(publisher.status()).toMatchObject({ witnesses: 2, cosignatures: 2 });
    expect(statusOf(publisher)).toMatchObject({
      kind: 'witness',
      name: 'witness witness.example/one',
      lastPublishedSize: 30_609,
      problem: undefined,
    });
    expect(witness.state.get(origin)?.size).toBe(30_609);
  });

  it('that know the log from before say from where (409), also after a restart', async () => {
    const log = new GrowingLog();
    const before = publisherOf(log, [witness]);
    before.offer(log.grow(1_000));
    await before.flush(2_000);
    await before.stop();
    witness.requests.length = 0;
    const after = publisherOf(log, [witness]);
    after.offer(log.grow(500));
    expect(await after.flush(2_000)).toBe(true);
    expect(await signersIn()).toEqual({ size: 1_500, signers: [origin, witness.key.name] });
    expect(witness.requests.map(({ body }) => body.toString().split('\n', 1)[0])).toEqual([
      'old 0',
      'old 1000',
    ]);
    // One that has lost its memory.
    witness.state.clear();
    after.offer(log.grow(1));
    expect(await after.flush(2_000)).toBe(true);
    expect(await signersIn()).toEqual({ size: 1_501, signers: [origin, witness.key.name] });
  });

  it.each([
    ['a log of which this is no continuation (422)', 700, 'no beginning of this one'],
    ['another log of this size (409)', 1_000, 'another log with 1000 entries'],
    ['a longer log (409)', 2_000, 'has seen 2000 entries, and this log has 1000'],
  ])(
    'that have seen %s report a conflict, and the checkpoint is published without them',
    async (_, size, message) => {
      const { root } = parseCheckpoint(new GrowingLog('forged').grow(size).checkpoint);
      witness.state.set(origin, { size, root });
      const log = new GrowingLog();
      const logger = keepLogLines();
      const publisher = publisherOf(log, [witness], { logger });
      publisher.offer(log.grow(1_000));
      expect(await publisher.flush(2_000)).toBe(true);
      await waitUntil(() => statusOf(publisher).problem !== undefined);
      expect(statusOf(publisher).problem).toMatchObject({
        code: 'publication-conflict',
        message: expect.stringContaining(message),
      });
      expect(await signersIn()).toEqual({ size: 1_000, signers: [origin] });
      expect(logger.lines).toMatchObject([{ level: 'error' }]);
      expect(witness.state.get(origin)?.size).toBe(size);
    },
  );

  it('that do not know the log, or the key, say what their operator must do', async () => {
    const log = new GrowingLog();
    for (const [logKeys, status, fix] of [
      [[], '(404)', 'origin and the verifier key'],
      [[{ ...logKey, id: 5 }], '(403)', 'verifier key of the log'],
    ] as const) {
      const stranger = await startWitnessServer('witness.example/stranger', logKeys);
      try {
        const publisher = publisherOf(log, [stranger]);
        publisher.offer(log.grow(10));
        await waitUntil(() => statusOf(publisher).problem !== undefined);
        expect(statusOf(publisher).problem).toMatchObject({
          code: 'publication-refused',
          message: expect.stringContaining(status),
          fix: expect.stringContaining(fix),
        });
        await publisher.stop();
      } finally {
        await stranger.close();
      }
    }
  });

  it('whose cosignature the given key does not verify are not believed', async () => {
    const log = new GrowingLog();
    const publisher = publisherOf(log, [{ url: witness.url, key: second.key }]);
    publisher.offer(log.grow(10));
    await waitUntil(() => statusOf(publisher).problem !== undefined);
    expect(statusOf(publisher).problem?.message).toContain('without a cosignature');
    expect(await publisher.flush(1_000)).toBe(true);
    expect(await signersIn()).toEqual({ size: 10, signers: [origin] });
  });

  it('that are slow hold up publication for so long, and their cosignature is added later', async () => {
    witness.delayMs = 300;
    const log = new GrowingLog();
    const publisher = publisherOf(log, [witness], { patienceMs: 50 });
    const startMs = performance.now();
    publisher.offer(log.grow(10));
    await waitUntil(() => isPublished(10));
    expect(performance.now() - startMs).toBeLessThan(250);
    expect((await signersIn()).signers).toEqual([origin]);
    await waitUntil(async () => (await signersIn()).signers.length === 2);
  });

  it('that are always late have their cosignature in a checkpoint that is kept', async () => {
    witness.delayMs = 150;
    const log = new GrowingLog();
    const publisher = publisherOf(log, [witness], { patienceMs: 20, keepIntervalMs: 400 });
    const endMs = performance.now() + 1_300;
    while (performance.now() < endMs) {
      publisher.offer(log.grow(3));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const kept = await readdir(join(directory, folder, 'checkpoints'));
    const signers = await Promise.all(
      kept.map(async (name) => (await signersIn(`checkpoints/${name}`)).signers),
    );
    expect(signers.filter(({ length }) => length === 2).length).toBeGreaterThan(0);
  });

  it('that are dead are waited for once', async () => {
    witness.isDown = true;
    const log = new GrowingLog();
    const logger = keepLogLines();
    const publisher = publisherOf(log, [witness, second], { logger });
    for (let i = 0; i < 5; i++) {
      const offer = log.grow(10);
      publisher.offer(offer);
      await waitUntil(() => isPublished(offer.size));
    }
    expect(await signersIn()).toEqual({ size: 50, signers: [origin, second.key.name] });
    await waitUntil(() => publisher.status().cosignatures === 1);
    witness.isDown = false;
    await waitUntil(async () => (await signersIn()).signers.length === 3);
    expect(logger.lines).toMatchObject([{ level: 'warn' }, { level: 'info', message: 'Publishing again' }]);
  });
});

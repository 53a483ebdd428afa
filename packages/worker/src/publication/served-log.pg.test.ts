import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { decodeEntryBundle } from '@bemi-db/proof/entry-bundle';
import { HASH_BYTES } from '@bemi-db/proof/hash';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { parseOrigin } from '@bemi-db/proof/origin';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { treeHashAt } from '@bemi-db/proof/tile-reader';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import { expect, test } from 'vitest';
import { createAuditedBank } from '../../test/audited-bank.ts';
import { createWorker } from '../create-worker.ts';
import { startHealthServer } from '../health-server.ts';

test('the running worker serves its log, and publishes it to a directory: both have the same tree', async () => {
  const bank = await createAuditedBank();
  const stateDirectory = newStateDirectory();
  const worker = createWorker({ ...bank.targets, stateDirectory });
  const stop = new AbortController();
  const running = worker.run({ signal: stop.signal });
  const server = await startHealthServer({
    workers: [{ name: 'bank', status: () => worker.status(), readLog: (path) => worker.readLog(path) }],
    port: 0,
  });
  try {
    const fetchBytes = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${server.port}/${path}`);
      return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()), response };
    };
    await bank.sourceSql.query(`INSERT INTO bulk (text) SELECT 'x' FROM generate_series(1, 70000)`);
    await expect.poll(() => worker.status().changes, { timeout: 30_000 }).toBe(70_520);
    await expect
      .poll(() => worker.status().publication?.targets[0]?.lastPublishedSize ?? 0, { timeout: 30_000 })
      .toBeGreaterThan(70_520);

    const served = await fetchBytes('checkpoint');
    expect(served.response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const checkpoint = parseCheckpoint(Buffer.from(served.bytes).toString());
    const root = await treeHashAt(sha256Into, checkpoint.size, async (level, index, width) => {
      const tile = await fetchBytes(formatTilePath({ level, index, width }));
      expect(tile.status).toBe(200);
      expect(tile.response.headers.get('cache-control')).toContain('immutable');
      return tile.bytes;
    });
    expect(Buffer.from(root)).toEqual(Buffer.from(checkpoint.root));

    const bundle = await fetchBytes(formatTilePath({ level: 'entries', index: 3, width: 256 }));
    const tile = await fetchBytes(formatTilePath({ level: 0, index: 3, width: 256 }));
    for (const [i, record] of decodeEntryBundle(bundle.bytes).entries()) {
      const expected = tile.bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES);
      expect(Buffer.from(leafHash(sha256Into, record))).toEqual(Buffer.from(expected));
    }
    // What is not there, or not signed yet.
    const lastIndex = Math.floor(checkpoint.size / 256);
    for (const path of [
      'tile/0/999',
      `tile/0/x001/000`,
      formatTilePath({ level: 0, index: lastIndex, width: 256 }),
      'tile/7/000',
      'tile/a',
    ]) {
      expect((await fetchBytes(path)).status, path).toBe(404);
    }

    const { logId, generation } = parseOrigin(checkpoint.origin)!;
    const folder = join(stateDirectory, 'checkpoints', logId, String(generation));
    const published = parseCheckpoint(readFileSync(join(folder, 'checkpoint'), 'utf8'));
    const publishedRoot = await treeHashAt(sha256Into, published.size, async (level, index, width) =>
      readFileSync(join(folder, formatTilePath({ level, index, width }))),
    );
    expect(Buffer.from(publishedRoot)).toEqual(Buffer.from(published.root));
  } finally {
    stop.abort();
    await running;
    await server.close();
  }
});

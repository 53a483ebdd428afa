import type { Lsn } from '@bemi-db/replication/lsn';
import { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { LogTree } from '@bemi-db/trail/append/log-tree';
import { expect, test } from 'vitest';
import { ContextAuthenticity } from './authenticity/context-authenticity.ts';
import { contextReader } from './context-text.ts';
import { RecordedHistory } from './recorded-history.ts';
import { RulesInForce } from './rules/rules-in-force.ts';
import { ShapeRegistry } from './shape-registry.ts';
import { Stitcher } from './stitcher.ts';

const nothing = (): undefined => undefined;

function stitcher(safeLsn: Lsn): Stitcher {
  return new Stitcher({
    batch: new EntryBatch(0, new LogTree({ size: 0, partialTiles: [] }, () => '')),
    shapes: new ShapeRegistry([]),
    rules: new RulesInForce([], undefined),
    history: new RecordedHistory(async () => []),
    generation: 1,
    ...{ lastFinalLsn: 0n as Lsn, previousFinalLsn: 0n as Lsn, coveredLsn: 0n as Lsn, safeLsn },
    holdsTrail: false,
    readContext: contextReader('UTF8'),
    authenticity: new ContextAuthenticity({ hasUsable: false, find: nothing }, 'clinic'),
    mayHoldInvalidText: () => false,
    maximumRowBytes: 1024,
    rejected: new Map(),
    suspend: nothing,
    lookUp: async () => undefined,
    onChange: nothing,
    onLeftOut: nothing,
    onTransaction: nothing,
    onDdl: nothing,
    onQuarantine: nothing,
  });
}

test('a keepalive says what is complete, but not within a transaction', () => {
  const read = stitcher(100n as Lsn);
  read.keepalive(200n as Lsn);
  expect(read.safeLsn).toBe(200n);
  read.begin(300n as Lsn, 0n, 7);
  // What comes of this transaction is not recorded yet: confirmed, it would not be sent again after a crash.
  read.keepalive(900n as Lsn);
  expect(read.safeLsn).toBe(200n);
  read.commit(300n as Lsn, 340n as Lsn);
  expect(read.safeLsn).toBe(340n);
  read.keepalive(320n as Lsn);
  expect(read.safeLsn).toBe(340n);
  read.keepalive(900n as Lsn);
  expect(read.safeLsn).toBe(900n);
});

import { expect, test } from 'vitest';
import { check } from './check.ts';
import type { ServerSnapshot, SourceSnapshot } from './source-snapshot.ts';

const wanted = { slot: 'bemi_slot', publication: 'bemi_publication', tables: 'all' } as const;

function snapshotOf(server: Partial<ServerSnapshot>, slot?: Partial<SourceSnapshot['slot']>): SourceSnapshot {
  return {
    server: {
      version: 180_004,
      versionText: '18.4',
      provider: 'self-managed',
      database: 'app',
      encoding: 'UTF8',
      isInRecovery: false,
      primaryAddress: undefined,
      walLevel: 'logical',
      maxReplicationSlots: 10,
      usedReplicationSlots: 1,
      maxWalSenders: 10,
      usedWalSenders: 0,
      systemIdentifier: undefined,
      walLsn: undefined,
      ...server,
    },
    role: { name: 'bemi', isSuperuser: false, canLogin: true, hasReplication: true, providerRoles: [] },
    namedRole: undefined,
    publication: {
      name: 'bemi_publication',
      isForAllTables: true,
      operations: ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'],
      isViaPartitionRoot: false,
      publishesGeneratedColumns: true,
      filteredTables: [],
    },
    slot: {
      name: 'bemi_slot',
      plugin: 'pgoutput',
      database: 'app',
      isTemporary: false,
      activePid: undefined,
      restartLsn: '0/1',
      confirmedFlushLsn: '0/2',
      walStatus: 'reserved',
      safeWalBytes: undefined,
      invalidationReason: undefined,
      isFailover: false,
      ...slot,
    },
    schemas: ['public'],
    tables: [],
  };
}

const bad = (snapshot: SourceSnapshot) =>
  check(snapshot, wanted)
    .filter((finding) => finding.verdict !== 'ok')
    .map(({ id, verdict }) => `${id}: ${verdict}`);

test.each<[string, Partial<ServerSnapshot>, string[]]>([
  ['PostgreSQL 18', {}, []],
  ['PostgreSQL 13 has no context', { version: 130_023 }, ['version: warning']],
  ['PostgreSQL 11 is too old', { version: 110_022, walLevel: 'replica' }, ['version: failure']],
  ['a standby', { isInRecovery: true }, ['primary: failure']],
  ['SQL_ASCII', { encoding: 'SQL_ASCII' }, ['encoding: warning']],
  ['slots all in use, ours among them', { usedReplicationSlots: 10 }, []],
  ['senders all in use', { usedWalSenders: 10 }, ['free-wal-senders: failure']],
])('%s', (_, server, expected) => {
  expect(bad(snapshotOf(server))).toEqual(expected);
});

test.each<[string, Partial<SourceSnapshot['slot']>, string[]]>([
  ['about to be lost', { walStatus: 'unreserved', safeWalBytes: -5 }, ['slot-health: warning']],
  ['lost', { walStatus: 'lost' }, ['slot-health: failure']],
  ['invalidated', { invalidationReason: 'idle_timeout' }, ['slot-health: failure']],
])('a slot that is %s', (_, slot, expected) => {
  expect(bad(snapshotOf({}, slot))).toEqual(expected);
});

test('with our slot in use, its sender is ours', () => {
  expect(bad(snapshotOf({ usedWalSenders: 10 }, { activePid: 4711 }))).toEqual([]);
});

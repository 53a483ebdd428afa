import pg from 'pg';
import { type Finding, ok, problem } from './finding.ts';
import { restartSettingFix } from './restart-setting.ts';
import { oldestVersion, type SourceSnapshot } from './source-snapshot.ts';

/** What the server itself must be like. */
export function checkServer(snapshot: SourceSnapshot): readonly Finding[] {
  return [
    checkVersion(snapshot),
    checkRecovery(snapshot),
    checkEncoding(snapshot),
    checkWalLevel(snapshot),
    checkFreeSlots(snapshot),
    checkFreeWalSenders(snapshot),
  ];
}

export function checkVersion({ server }: SourceSnapshot): Finding {
  const evidence = `PostgreSQL ${server.versionText}`;
  if (server.version < oldestVersion) {
    return problem(
      'failure',
      'version',
      'PostgreSQL is too old',
      evidence,
      'Upgrade to PostgreSQL 14 or later, by pg_upgrade or as its provider does it: 12 and 13 are recorded without context.',
    );
  }
  if (server.version < 140_000) {
    return problem(
      'warning',
      'version',
      'Changes are recorded without context',
      `${evidence}: its pgoutput cannot send logical messages`,
      'Upgrade to PostgreSQL 14 or later, by pg_upgrade or as its provider does it, to record context.',
    );
  }
  return ok('version', 'PostgreSQL is recent enough', evidence);
}

function checkRecovery({ server }: SourceSnapshot): Finding {
  if (!server.isInRecovery) return ok('primary', 'The server is the primary', 'not in recovery');
  return problem(
    'failure',
    'primary',
    'The server is a standby',
    'pg_is_in_recovery() is true',
    server.primaryAddress === undefined
      ? 'Name the primary in BEMI_DATABASE_URL: publication and slot are made there.'
      : `Name the primary in BEMI_DATABASE_URL, ${server.primaryAddress}: publication and slot are made there.`,
  );
}

function checkEncoding({ server }: SourceSnapshot): Finding {
  const evidence = `server encoding ${server.encoding}`;
  if (server.encoding !== 'SQL_ASCII') {
    return ok('encoding', 'Text can be converted to UTF-8', evidence);
  }
  return problem(
    'warning',
    'encoding',
    'The server does not know the encoding of its text',
    evidence,
    'Values that are not valid UTF-8 are recorded as bytes, in quarantine. Only you can know which encoding the text ' +
      'has: make a database with one, as a superuser, and move what there is by pg_dump --encoding and psql.\n' +
      `CREATE DATABASE ${pg.escapeIdentifier(`${server.database}_utf8`)} ENCODING 'UTF8' TEMPLATE template0;`,
  );
}

function checkWalLevel({ server }: SourceSnapshot): Finding {
  const evidence = `wal_level = ${server.walLevel}`;
  if (server.walLevel === 'logical') return ok('wal-level', 'Logical replication is on', evidence);
  const { advice, sql } = restartSettingFix(server, 'wal_level', 'logical');
  return problem('failure', 'wal-level', 'Logical replication is off', evidence, advice, sql);
}

function checkFreeSlots({ server, slot }: SourceSnapshot): Finding {
  const evidence = `${server.usedReplicationSlots} of max_replication_slots = ${server.maxReplicationSlots} used`;
  if (slot || server.usedReplicationSlots < server.maxReplicationSlots) {
    return ok('free-slots', 'There is a replication slot for Bemi', evidence);
  }
  const enough = Math.max(4, server.usedReplicationSlots + 1);
  const { advice, sql } = restartSettingFix(server, 'max_replication_slots', String(enough));
  return problem(
    'failure',
    'free-slots',
    'No replication slot is free',
    evidence,
    'Drop one that nobody needs (SELECT slot_name, plugin, active, restart_lsn FROM pg_replication_slots;), ' +
      `or allow more.\n${advice}`,
    sql,
  );
}

function checkFreeWalSenders({ server, slot }: SourceSnapshot): Finding {
  const evidence = `${server.usedWalSenders} of max_wal_senders = ${server.maxWalSenders} used`;
  if (slot?.activePid !== undefined || server.usedWalSenders < server.maxWalSenders) {
    return ok('free-wal-senders', 'There is a WAL sender for Bemi', evidence);
  }
  const enough = Math.max(4, server.usedWalSenders + 1);
  const { advice, sql } = restartSettingFix(server, 'max_wal_senders', String(enough));
  return problem('failure', 'free-wal-senders', 'No WAL sender is free', evidence, advice, sql);
}

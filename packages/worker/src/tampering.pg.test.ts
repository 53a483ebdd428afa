import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatePrivateKey, privateKeyFromPem, rawPublicKey, sha256Into } from '@bemi-db/proof/node-crypto';
import { formatOrigin } from '@bemi-db/proof/origin';
import { type VerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { newStateDirectory } from '@bemi-db/test-kit/state-directory';
import { type StoredLogReport, verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import type pg from 'pg';
import { expect, test } from 'vitest';
import { type AuditedBank, createAuditedBank, verifyBank } from '../test/audited-bank.ts';
import { forgeTree } from '../test/forged-log.ts';
import { createWorker } from './create-worker.ts';
import { ProblemError } from './problem.ts';
import { LastSigned } from './signing/last-signed.ts';

/** Everything here is done as a superuser of the audit database: its owner, or whoever stole that right. */
interface Attack {
  readonly name: string;
  readonly run: string | ((sql: pg.Client) => Promise<void>);
  /** What must be found first. */
  readonly finding: object;
}

// The log of `recordedBank`: entries 0 to 4 are created, key, started, relation and the first change of `account`.
const victim = 300;
/** In a full tile, an UPDATE with a context in a transaction of its own. */
const update = `sequence = (SELECT min(sequence) FROM bemi.change_log WHERE operation = 'UPDATE')`;
const context = 'sequence = (SELECT min(sequence) FROM bemi.context_log)';
const commit = 'sequence = (SELECT max(sequence) FROM bemi.transaction_log WHERE sequence < 2000)';

const oneByte: Record<string, string> = {
  before: `UPDATE bemi.change_log SET before = replace(before::text, '0', '1')::json WHERE ${update}`,
  after: `UPDATE bemi.change_log SET after = replace(after::text, 'x', 'y')::json WHERE sequence = ${victim}`,
  'after, to the same JSON in other bytes': `UPDATE bemi.change_log SET after = (after::text || ' ')::json WHERE sequence = ${victim}`,
  context: `UPDATE bemi.context_log SET context = replace(context::text, 'teller', 'Teller')::json WHERE ${context}`,
  operation: `UPDATE bemi.change_log SET operation = 'UPDATE' WHERE sequence = ${victim}`,
  primary_key: `UPDATE bemi.change_log SET primary_key = primary_key || '0' WHERE sequence = ${victim}`,
  'primary_key to NULL': `UPDATE bemi.change_log SET primary_key = NULL WHERE sequence = ${victim}`,
  before_kind: `UPDATE bemi.change_log SET before_kind = 'fake' WHERE ${update}`,
  'before_kind of the same letter': `UPDATE bemi.change_log SET before_kind = 'fall' WHERE ${update}`,
  lsn: `UPDATE bemi.change_log SET lsn = lsn + 1 WHERE sequence = ${victim}`,
  'relation of a change': `UPDATE bemi.change_log SET relation = relation + 1 WHERE sequence = ${victim}`,
  'relation below zero': `UPDATE bemi.change_log SET relation = -1 WHERE sequence = ${victim}`,
  'context number': `UPDATE bemi.change_log SET context_no = 1 WHERE ${update}`,
  'transaction of a change': `UPDATE bemi.change_log SET transaction = transaction + 1 WHERE sequence = ${victim}`,
  salt: `UPDATE bemi.change_log SET salt = '\\x00112233445566778899aabbccddeeff' WHERE sequence = ${victim}`,
  authenticity: `UPDATE bemi.context_log SET authenticity = 'authentic' WHERE ${context}`,
  committed_at: `UPDATE bemi.transaction_log SET committed_at = committed_at - interval '1 microsecond' WHERE ${commit}`,
  recorded_at: `UPDATE bemi.transaction_log SET recorded_at = recorded_at + interval '1 day' WHERE ${commit}`,
  xid: `UPDATE bemi.transaction_log SET xid = xid + 1 WHERE ${commit}`,
  'commit LSN': `UPDATE bemi.transaction_log SET commit_lsn = commit_lsn + 8 WHERE ${commit}`,
  change_count: `UPDATE bemi.transaction_log SET change_count = change_count + 1 WHERE ${commit}`,
  actor: `UPDATE bemi.transaction_log SET actor = '"somebody else"' WHERE ${commit}`,
  'payload of an event': `UPDATE bemi.event_log SET payload = replace(payload::text, 'account', 'accounts')::json WHERE kind = 'relation' AND payload->>'table' = 'account'`,
  'time of an event': `UPDATE bemi.event_log SET at = at + interval '1 second' WHERE kind = 'relation'`,
};

/** Gives every entry from a sequence on another one, in all tables, as if there were one more or less before it. */
function renumber(from: number, by: number): string {
  return ['change_log', 'context_log', 'transaction_log', 'event_log']
    .map(
      (table) => `
        ALTER TABLE bemi.${table} DROP CONSTRAINT ${table}_pkey;
        UPDATE bemi.${table} SET sequence = sequence + ${by} WHERE sequence >= ${from};
        ${table === 'event_log' ? '' : `UPDATE bemi.${table} SET transaction = transaction + ${by} WHERE transaction >= ${from};`}`,
    )
    .join('');
}

const copyOf = (sequence: number, as: number) => `
  INSERT INTO bemi.change_log (log, context_no, relation, sequence, transaction, lsn, before_kind, operation, salt, primary_key, before, after)
  SELECT log, context_no, relation, ${as}, transaction, lsn, before_kind, operation, salt, primary_key, before, after
    FROM bemi.change_log WHERE sequence = ${sequence};`;

function attacks(secrets: Secrets): Attack[] {
  return [
    ...Object.entries(oneByte).map(([name, run]) => ({
      name: `altered: ${name}`,
      run,
      finding: { code: 'altered', count: 1 },
    })),
    {
      name: 'a table renamed in relations',
      run: `UPDATE bemi.relations SET root_table = 'ledger' WHERE root_table = 'account'`,
      finding: { code: 'relation-altered', reason: 'other-names' },
    },
    {
      name: 'a column renamed in relations',
      run: `UPDATE bemi.relations SET document = replace(document::text, 'balance', 'amount')::json WHERE root_table = 'account'`,
      finding: { code: 'relation-altered', reason: 'other-document' },
    },
    {
      name: 'another database in sources',
      run: `UPDATE bemi.sources SET database = 'staging'`,
      finding: { code: 'source-altered', column: 'database' },
    },
    {
      name: 'a longer past in sources',
      run: `UPDATE bemi.sources SET complete_from_lsn = '0/1'`,
      finding: { code: 'source-altered', column: 'complete_from_lsn' },
    },
    {
      name: 'a view that shows something else',
      run: async (sql) => {
        const { rows } = await sql.query<{ text: string }>(`SELECT pg_get_viewdef('bemi.changes') AS text`);
        const forged = rows[0]!.text.replace('(x.context)::jsonb', 'NULL::jsonb');
        expect(forged).not.toBe(rows[0]!.text);
        await sql.query(`CREATE OR REPLACE VIEW bemi.changes AS ${forged}`);
      },
      finding: { code: 'view-altered' },
    },
    {
      name: 'a change taken out of the index',
      run: `DELETE FROM bemi.change_index WHERE sequence = (SELECT max(sequence) FROM bemi.change_index)`,
      finding: { code: 'index-altered' },
    },
    {
      name: 'other times in the index',
      run: `UPDATE bemi.change_blocks SET last_at = first_at - interval '1 year' WHERE block = 0`,
      finding: { code: 'index-altered' },
    },
    {
      name: 'fewer changes in the counts',
      run: `UPDATE bemi.activity SET updates = 0, inserts = inserts + 1 WHERE block = 0`,
      finding: { code: 'index-altered' },
    },
    {
      name: 'an hour taken out of the counts',
      run: `DELETE FROM bemi.activity WHERE block = 0`,
      finding: { code: 'index-altered' },
    },
    {
      name: 'a name taken out of the counts',
      run: `UPDATE bemi.activity_names SET names[1] = 'nobody'`,
      finding: { code: 'index-altered' },
    },
    {
      name: 'a sum of counts that nobody added up',
      run: `INSERT INTO bemi.activity_ranges (log, range) SELECT log, 7 FROM bemi.logs LIMIT 1`,
      finding: { code: 'index-altered' },
    },
    {
      name: 'an entry deleted',
      run: `DELETE FROM bemi.change_log WHERE sequence = ${victim}`,
      finding: { code: 'missing', sequence: victim, count: 1 },
    },
    {
      name: 'a range deleted across tiles',
      run: `DELETE FROM bemi.change_log WHERE sequence BETWEEN 200 AND 460`,
      finding: { code: 'missing', sequence: 200, count: 261 },
    },
    {
      name: 'an entry deleted and the others closed up',
      run: `DELETE FROM bemi.change_log WHERE sequence = ${victim}; ${renumber(victim, -1)}`,
      finding: { code: 'missing', sequence: victim, count: 1 },
    },
    {
      name: 'an entry inserted and the others moved on',
      run: `${renumber(victim, 1)} ${copyOf(victim + 7, victim)}
            UPDATE bemi.change_log SET after = '{"id":0}' WHERE sequence = ${victim}`,
      finding: { code: 'inserted', sequence: victim, count: 1 },
    },
    {
      name: 'two entries exchanged',
      run: `ALTER TABLE bemi.change_log DROP CONSTRAINT change_log_pkey;
            UPDATE bemi.change_log SET sequence = CASE sequence WHEN 300 THEN 310 ELSE 300 END WHERE sequence IN (300, 310)`,
      finding: { code: 'moved', sequence: 300, from: 310 },
    },
    {
      name: 'an entry twice',
      run: `ALTER TABLE bemi.change_log DROP CONSTRAINT change_log_pkey; ${copyOf(victim, victim)}`,
      finding: { code: 'duplicated', sequence: victim },
    },
    {
      name: 'an entry behind the end',
      run: `${copyOf(victim, 3_000_000)}`,
      finding: { code: 'inserted', sequence: 3_000_000, count: 1 },
    },
    {
      name: 'an entry erased without an event',
      run: (sql) => eraseSilently(sql, victim),
      finding: { code: 'erased-without-event', sequence: victim, count: 1 },
    },
    {
      name: 'a tile altered',
      run: `UPDATE bemi.tiles SET hashes = overlay(hashes PLACING '\\x00'::bytea FROM 40) WHERE level = 0 AND index = 1`,
      finding: { code: 'tile-altered', level: 0, index: 1 },
    },
    {
      name: 'a tile deleted',
      run: 'DELETE FROM bemi.tiles WHERE level = 0 AND index = 2',
      finding: { code: 'tile-missing', level: 0, index: 2 },
    },
    {
      name: 'a tile behind the end',
      run: `INSERT INTO bemi.tiles SELECT log, level, 4000, hashes FROM bemi.tiles WHERE level = 0 AND index = 2`,
      finding: { code: 'tile-altered', level: 0, index: 4000 },
    },
    {
      name: 'the frontier altered',
      run: `UPDATE bemi.frontier SET hashes = overlay(hashes PLACING '\\x00'::bytea FROM 3)`,
      finding: { code: 'frontier-altered' },
    },
    {
      name: 'the tail cut, and its end signed nowhere',
      run: cutTail(20),
      finding: { code: 'rolled-back', outside: true },
    },
    {
      name: 'rewritten without the key',
      run: async (sql) => {
        const own = generatePrivateKey();
        const publicKey = Buffer.from(rawPublicKey(own)).toString('base64');
        await sql.query(oneByte['after']!);
        await sql.query(
          `UPDATE bemi.event_log SET payload = json_build_object('event', 'created', 'publicKey', $1::text) WHERE sequence = 1`,
          [publicKey],
        );
        await forgeTree(sql, own);
      },
      finding: { code: 'untrusted-key' },
    },
    {
      name: 'rewritten with the key',
      run: async (sql) => {
        await sql.query(oneByte['after']!);
        await forgeTree(sql, secrets.privateKey);
      },
      finding: { code: 'forked', outside: true },
    },
    {
      name: 'cut and signed with the key',
      run: async (sql) => {
        await sql.query(cutTail(20));
        await forgeTree(sql, secrets.privateKey);
      },
      finding: { code: 'rolled-back', outside: true },
    },
  ];
}

/** Deletes the last entries and sets the log's own account of its end back. */
function cutTail(count: number): string {
  const size = `(SELECT next_sequence - ${count} FROM bemi.logs)`;
  return `${['change_log', 'context_log', 'transaction_log', 'event_log']
    .map((table) => `DELETE FROM bemi.${table} WHERE sequence >= ${size};`)
    .join('')}UPDATE bemi.logs SET next_sequence = next_sequence - ${count};`;
}

async function eraseSilently(sql: pg.Client, sequence: number): Promise<void> {
  await sql.query(
    `UPDATE bemi.change_log SET salt = NULL, primary_key = NULL, before = NULL, after = NULL, commitment = (
       SELECT sha256(int4send(octet_length(operation)) || convert_to(operation, 'UTF8') || int4send(16) || salt ||
                     int4send(octet_length(primary_key)) || convert_to(primary_key, 'UTF8') || int4send(-1) ||
                     int4send(octet_length(after::text)) || convert_to(after::text, 'UTF8')))
      WHERE sequence = $1`,
    [sequence],
  );
}

interface Secrets {
  readonly privateKey: ReturnType<typeof privateKeyFromPem>;
  readonly key: VerifierKey;
}

/** A recorded bank with some 2,600 entries, ten tiles. */
async function recordedBank(): Promise<AuditedBank> {
  const bank = await createAuditedBank();
  await createWorker(bank.targets).run({ drain: true });
  for (let n = 1; n <= 400; n++) {
    await bank.sourceSql.query(
      `BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"teller ${n}"}');
       UPDATE account SET balance = balance + 10 WHERE id = ${n}; INSERT INTO bulk (text) VALUES ('x'), ('y'); COMMIT`,
    );
  }
  await createWorker(bank.targets).run({ drain: true });
  await withoutTriggers(bank.auditSql);
  return bank;
}

/** What stops the owner's accidents stops no superuser who means it. */
async function withoutTriggers(sql: pg.Client): Promise<pg.Client> {
  await sql.query('SET session_replication_role = replica');
  return sql;
}

async function secretsOf(bank: AuditedBank): Promise<Secrets> {
  const pem = readFileSync(join(process.env['BEMI_STATE_DIR']!, 'signing-key.pem'), 'utf8');
  const { rows } = await bank.auditSql.query<{ log_id: string }>('SELECT log_id FROM bemi.logs');
  const privateKey = privateKeyFromPem(pem);
  const origin = formatOrigin({ logId: rows[0]!.log_id, generation: 1 });
  const key = verifierKey(sha256Into, origin, rawPublicKey(createPublicKey(privateKey)));
  return { privateKey, key };
}

async function verifyWith(sql: pg.Client, key: VerifierKey, bank: AuditedBank): Promise<StoredLogReport> {
  const kept = new LastSigned(process.env['BEMI_STATE_DIR']!, bank.source.name).read()!;
  return verifyStoredLog({ client: sql, log: 0, keys: [key], checkpoints: [kept] });
}

/** A copy of the audit database as it is now. Nobody may be connected to it. */
async function copyOfAudit(bank: AuditedBank): Promise<{ copy: TestDatabase; sql: pg.Client }> {
  const copy = await createDatabase(bank.audit.name);
  return { copy, sql: await withoutTriggers(await copy.connect()) };
}

test('whatever is done to the audit database is found, and named', { timeout: 240_000 }, async () => {
  const bank = await recordedBank();
  const secrets = await secretsOf(bank);
  expect((await verifyWith(bank.auditSql, secrets.key, bank)).findings).toEqual([]);
  await bank.auditSql.end();
  for (const { name, run, finding } of attacks(secrets)) {
    const { sql } = await copyOfAudit(bank);
    if (typeof run === 'string') await sql.query(run);
    else await run(sql);
    const { findings } = await verifyWith(sql, secrets.key, bank);
    expect.soft(findings[0], name).toMatchObject(finding);
    await sql.end();
  }
});

test('what is in quarantine can be altered no more than what is not', async () => {
  const { source, audit, slot, sql, trail } = await createRecordedDatabase((client) =>
    client.query('CREATE TABLE note (id int PRIMARY KEY, doc json, text text)'),
  );
  await sql.query(String.raw`INSERT INTO note VALUES (1, '{"a":"\u0000"}', NULL)`);
  // In more than one piece.
  await sql.query(`INSERT INTO note VALUES (2, NULL, repeat('large row ', 900000))`);
  await sql.query(
    String.raw`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"userId":"\u0000"}');
               INSERT INTO note VALUES (3); COMMIT`,
  );
  // A full tile, in which an entry is found by itself.
  await sql.query('INSERT INTO note SELECT generate_series(4, 300)');
  const targets = { source: source.url, destination: audit.url, slot };
  await createWorker({ ...targets, maximumRowBytes: 1024 * 1024 }).run({ drain: true });
  const { rows } = await trail.query<{ sequence: string; field: string; part: number }>(
    'SELECT sequence, field, part FROM bemi.quarantine ORDER BY sequence, field, part',
  );
  expect(rows.map(({ field, part }) => [field, part])).toEqual([
    ...[
      ['row', 0],
      ['row', 0],
      ['row', 1],
    ],
    ['context', 0],
  ]);
  await withoutTriggers(trail);
  const verified = async () =>
    (await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] })).findings;
  expect(await verified()).toEqual([]);
  await trail.query('CREATE TEMP TABLE kept AS TABLE bemi.quarantine');
  for (const { sequence, field, part } of rows) {
    const one = `WHERE sequence = ${sequence} AND part = ${part}`;
    for (const attack of [
      `UPDATE bemi.quarantine SET bytes = set_byte(bytes, length(bytes) - 1, 1) ${one}`,
      `UPDATE bemi.quarantine SET bytes = NULL ${one}`,
      `DELETE FROM bemi.quarantine ${one}`,
      ...(part === 0 ? [`UPDATE bemi.quarantine SET reason = 'nothing' ${one}`] : []),
    ]) {
      expect((await trail.query(attack)).rowCount).toBe(1);
      expect
        .soft(await verified(), `${attack} (${field})`)
        .toMatchObject([{ code: 'altered', sequence: Number(sequence), count: 1 }]);
      await trail.query('DELETE FROM bemi.quarantine; INSERT INTO bemi.quarantine SELECT * FROM kept');
    }
  }
  expect(await verified()).toEqual([]);
});

test('entries that no checkpoint covers are named, and what stands behind the last one from outside', async () => {
  const bank = await recordedBank();
  await bank.auditSql.query(
    'UPDATE bemi.frontier SET checkpoint = (SELECT checkpoint FROM bemi.checkpoints ORDER BY size LIMIT 1)',
  );
  const report = await verifyStoredLog({ client: bank.auditSql, log: 0, keys: [], checkpoints: [] });
  expect(report.findings).toMatchObject([{ code: 'unsigned', sequence: report.signedSize }]);
  expect(report.provenSize).toBe(0);
  expect(await refusal(bank.targets)).toBe('log-altered');
});

test('an older copy that was restored is found, and the worker refuses to go on with it', async () => {
  const bank = await recordedBank();
  const secrets = await secretsOf(bank);
  await bank.auditSql.end();
  const { copy, sql } = await copyOfAudit(bank);
  await bank.sourceSql.query(`INSERT INTO bulk (text) SELECT 'later' FROM generate_series(1, 10)`);
  await createWorker(bank.targets).run({ drain: true });
  expect((await verifyWith(sql, secrets.key, bank)).findings[0]).toMatchObject({
    code: 'rolled-back',
    outside: true,
  });
  // The slot alone tells, as long as the copy says how far it was.
  expect(await refusal({ ...bank.targets, destination: copy.url })).toBe('slot-ahead');
  const { rows } = await bank.sourceSql.query<{ lsn: string }>(
    'SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = $1',
    [bank.slot],
  );
  await sql.query('UPDATE bemi.sources SET confirmed_lsn = $1, last_final_lsn = $1', [rows[0]!.lsn]);
  expect(await refusal({ ...bank.targets, destination: copy.url })).toBe('log-cut');
});

test('a cut tail is found on a default install, and the worker refuses to go on', async () => {
  const bank = await recordedBank();
  await bank.auditSql.query(cutTail(3));
  expect((await verifyBank(bank)).findings[0]).toMatchObject({ code: 'rolled-back', outside: true });
  expect(await refusal(bank.targets)).toBe('log-altered');
  await forgeTree(bank.auditSql, (await secretsOf(bank)).privateKey);
  expect(await refusal(bank.targets)).toBe('log-cut');
});

test('a log that was rewritten with its own key is not signed on', async () => {
  const bank = await recordedBank();
  await bank.auditSql.query(oneByte['after']!);
  await forgeTree(bank.auditSql, (await secretsOf(bank)).privateKey);
  expect(await refusal(bank.targets)).toBe('log-forked');
});

test("another source's log in its place is found, and not signed on", async () => {
  const bank = await recordedBank();
  const other = await recordedBank();
  const key = (await secretsOf(bank)).key;
  expect((await verifyWith(other.auditSql, key, bank)).findings[0]).toMatchObject({ code: 'other-log' });
  await other.auditSql.query('UPDATE bemi.logs SET name = $1', [bank.source.name]);
  expect(await refusal({ ...bank.targets, destination: other.audit.url })).toBe('other-database');
  await other.auditSql.query('UPDATE bemi.sources SET database = $1', [bank.source.name]);
  expect(await refusal({ ...bank.targets, destination: other.audit.url })).toBe('checkpoint-of-another-log');
});

test('a key that is gone, or another one, stops the worker', async () => {
  const bank = await recordedBank();
  const stateDirectory = newStateDirectory();
  expect(await refusal({ ...bank.targets, stateDirectory })).toBe('signing-key-missing');
  const signingKey = Buffer.alloc(32, 7).toString('base64');
  expect(await refusal({ ...bank.targets, stateDirectory, signingKey })).toBe('signing-key-other');
});

/** Why the worker does not record. */
async function refusal(options: Parameters<typeof createWorker>[0]): Promise<string> {
  const failure: unknown = await createWorker(options)
    .run({ drain: true })
    .then(
      () => undefined,
      (error: unknown) => error,
    );
  if (!(failure instanceof ProblemError)) throw new Error('The worker recorded');
  return failure.problem.code;
}

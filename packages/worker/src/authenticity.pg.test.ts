import { readFileSync } from 'node:fs';
import { runWithBemiContext } from '@bemi-db/context';
import { signMessage } from '@bemi-db/context/authentic-message';
import { wrapClient } from '@bemi-db/context/pg';
import { triggersUp } from '@bemi-db/source/context-triggers';
import { createDatabase } from '@bemi-db/test-kit/database';
import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { readContextKeys } from '@bemi-db/trail/context-keys';
import { request } from '@bemi-db/trail/inbox';
import { eachChange } from '@bemi-db/trail/query/search-changes';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import { describe, expect, test } from 'vitest';
import { answered, askForContextKey, encryptionKey } from '../test/context-key.ts';
import { apiKeyId, newApiKey } from './authenticity/sealed-key.ts';
import { createWorker, type WorkerOptions } from './create-worker.ts';

const apiKey = newApiKey();
const otherKey = newApiKey();
// As an application has it; it is read when the first client is wrapped.
process.env['BEMI_API_KEY'] = apiKey;

/** An application, and a log in which its key counts. */
async function authenticApplication() {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const sql = await source.connect();
  await sql.query('CREATE TABLE note (id int PRIMARY KEY, v text)');
  const targets: WorkerOptions = {
    source: source.url,
    destination: audit.url,
    slot: `${source.name}_slot`,
    encryptionKey,
  };
  await createWorker(targets).run({ drain: true });
  const trail = await audit.connect();
  const makeKey = async (key: string): Promise<void> => {
    const id = await askForContextKey(trail, key);
    await createWorker(targets).run({ drain: true });
    expect(await answered(trail, id)).toMatchObject({ sequence: expect.any(String) });
  };
  await makeKey(apiKey);
  let rows = 0;
  return {
    ...{ source, audit, sql, trail, targets, makeKey },
    client: wrapClient(await source.connect()),
    /** A transaction with this message, written by hand. */
    async emit(...contents: string[]): Promise<void> {
      await sql.query('BEGIN');
      for (const content of contents) {
        await sql.query(`SELECT pg_logical_emit_message(true, '_bemi', $1::text)`, [content]);
        await sql.query('INSERT INTO note VALUES ($1)', [++rows]);
      }
      await sql.query('COMMIT');
    },
    sign(message: string, more: { key?: string; database?: string; time?: Date } = {}): string {
      const { key = apiKey, database = source.name, time = new Date() } = more;
      const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
      return signMessage(message, key, { database, time, nonce });
    },
    async record(more: Partial<WorkerOptions> = {}): Promise<string[]> {
      await createWorker({ ...targets, ...more }).run({ drain: true });
      await verifyLogStructure(trail);
      const { rows: contexts } = await trail.query<{ authenticity: string }>(
        'SELECT authenticity FROM bemi.context_log ORDER BY sequence',
      );
      return contexts.map(({ authenticity }) => authenticity);
    },
    async lastMessage(): Promise<string> {
      const { rows: contexts } = await trail.query<{ context: string }>(
        'SELECT context::text AS context FROM bemi.context_log ORDER BY sequence DESC LIMIT 1',
      );
      return contexts[0]!.context;
    },
  };
}

describe.runIf(streamsContext())('authenticity', () => {
  test('a signed context that a statement trigger sends is authentic in one transaction, and replayed in the next', async () => {
    const app = await authenticApplication();
    await app.sql.query(triggersUp({ kinds: ['context'], tables: 'all' }));
    await app.sql.query(`SELECT set_config('bemi.context', $1, false)`, [app.sign('{"userId":"42"}')]);
    await app.sql.query(
      `BEGIN; SAVEPOINT a; INSERT INTO note VALUES (1); ROLLBACK TO a; INSERT INTO note VALUES (2); COMMIT`,
    );
    expect(await app.record()).toEqual(['authentic']);
    await app.sql.query('INSERT INTO note VALUES (3)');
    expect(await app.record()).toEqual(['authentic', 'replayed']);
  });

  test('what the application writes is authentic, and shown without what makes it so', async () => {
    const app = await authenticApplication();
    await runWithBemiContext({ userId: '42', n: 9007199254740993n }, async () => {
      await app.client.query('INSERT INTO note VALUES ($1)', [1]);
      await app.client.query("UPDATE note SET v = 'a'");
      await app.client.query('BEGIN');
      await app.client.query('UPDATE note SET v = $1', ['b']);
      await app.client.query('SAVEPOINT s');
      await app.client.query('ROLLBACK TO s');
      await app.client.query('UPDATE note SET v = $1', ['c']);
      await app.client.query('COMMIT');
    });
    expect(await app.record()).toEqual(Array(4).fill('authentic'));
    const { rows } = await app.trail.query('SELECT DISTINCT context FROM bemi.changes');
    expect(rows).toEqual([{ context: { userId: '42', n: '9007199254740993' } }]);
    const { rows: indexed } = await app.trail.query(
      `SELECT DISTINCT document #> '{0,c}' AS context FROM bemi.indexed_rows(0, 0, 1)`,
    );
    expect(indexed).toEqual(rows);
    for await (const change of eachChange(app.trail, { log: 0, filter: {}, limit: 9 })) {
      expect(change).toMatchObject({
        authenticity: 'authentic',
        context: '{"userId":"42","n":"9007199254740993"}',
      });
    }
    const report = await verifyStoredLog({ client: app.trail, log: 0, keys: [], checkpoints: [] });
    expect(report.findings).toEqual([]);
  });

  test('what others write is not', async () => {
    const app = await authenticApplication();
    const good = app.sign('{"userId":"42"}');
    await app.emit('{"userId":"1"}');
    await app.emit(good);
    await app.emit(good); // the same message in another transaction
    await app.emit(app.sign('{"userId":"42"}').replace('42', '43'));
    await app.emit(app.sign('{"userId":"42"}').replace(/\}$/, ',"userId":"43"}'));
    await app.emit(app.sign('{"userId":"42"}', { database: 'other' }));
    await app.emit(app.sign('{"userId":"42"}', { key: otherKey }));
    await app.emit(app.sign('{"userId":"42"}', { time: new Date(Date.now() - 16 * 60_000) }));
    await app.emit(app.sign('{"userId":"42"}', { time: new Date(Date.now() + 6 * 60_000) }));
    const [again, between] = [app.sign('{"userId":"42"}'), app.sign('{}')];
    await app.emit(again, between, again); // the same message again in its own transaction
    const expected = [
      ...['unsigned', 'authentic', 'replayed', 'forged', 'forged', 'forged', 'unsigned', 'stale', 'stale'],
      ...['authentic', 'authentic', 'authentic'],
    ];
    expect(await app.record()).toEqual(expected);
    // An auditor looks for what isn't right.
    const forged: (string | undefined)[] = [];
    const query = { log: 0, filter: { authenticity: ['forged'] }, limit: 9, order: 'oldest-first' } as const;
    for await (const change of eachChange(app.trail, query)) forged.push(change.context);
    expect(forged).toEqual(['{"userId":"43"}', '{"userId":"42","userId":"43"}', '{"userId":"42"}']);
  });

  test('each published vector is shown as it says', async () => {
    const file = new URL('../../../docs/spec/vectors/authentic-context.json', import.meta.url);
    const { verify } = JSON.parse(readFileSync(file, 'utf8')) as {
      verify: { name: string; content: string; shown: string }[];
    };
    const app = await authenticApplication();
    for (const { content } of verify) await app.emit(content);
    await app.record();
    const { rows } = await app.trail.query<{ same: boolean }>(
      `SELECT v.shown::jsonb = c.context AS same
         FROM unnest($1::text[]) WITH ORDINALITY AS v(shown, n)
         JOIN bemi.changes c ON c.primary_key = v.n::text ORDER BY v.n`,
      [verify.map(({ shown }) => shown)],
    );
    expect(verify.filter((_, n) => !rows[n]?.same).map(({ name }) => name)).toEqual([]);
    let n = verify.length;
    for await (const { context } of eachChange(app.trail, { log: 0, filter: {}, limit: 100 })) {
      const { name, shown } = verify[--n]!;
      expect(JSON.parse(context!), name).toEqual(JSON.parse(shown));
    }
  });

  test('a replay is known after a restart, and what is sent again is none', async () => {
    const app = await authenticApplication();
    await runWithBemiContext({ userId: '42' }, () => app.client.query('INSERT INTO note VALUES (100)'));
    let isFirst = true;
    const failpoint = async (name: string): Promise<void> => {
      if (name !== 'confirm:before' || !isFirst) return;
      isFirst = false;
      throw new Error('committed, and the slot was not told');
    };
    expect(await app.record({ failpoint })).toEqual(['authentic']);
    expect(isFirst).toBe(false);
    await app.emit(await app.lastMessage());
    expect(await app.record()).toEqual(['authentic', 'replayed']);
  });

  test('keys are made and revoked while the worker records', async () => {
    const app = await authenticApplication();
    const stop = new AbortController();
    const running = createWorker(app.targets).run({ signal: stop.signal });
    const made = await answered(app.trail, await askForContextKey(app.trail, otherKey));
    expect(made).toHaveProperty('sequence');
    await app.emit(app.sign('{}', { key: otherKey }));
    await app.emit(app.sign('{}'));
    const recorded = () => app.trail.query('SELECT FROM bemi.context_log').then(({ rowCount }) => rowCount);
    await expect.poll(recorded, { timeout: 20_000 }).toBe(2);
    const revocation = { event: 'context-key-revoked', id: apiKeyId(apiKey), by: 'ops' };
    await answered(app.trail, await request(app.trail, 0, 'config', revocation));
    const later = { ...revocation, id: apiKeyId(otherKey), afterSeconds: 3_600 };
    await answered(app.trail, await request(app.trail, 0, 'config', later));
    await app.emit(app.sign('{}', { key: otherKey }));
    await app.emit(app.sign('{}'));
    await expect.poll(recorded, { timeout: 20_000 }).toBe(4);
    stop.abort();
    await running;
    const expected = ['authentic', 'authentic', 'authentic', 'unsigned'];
    expect(await app.record()).toEqual(expected);
    const { rows } = await app.trail.query(
      `SELECT payload->>'event' AS event, payload->>'id' AS id FROM bemi.event_log WHERE kind = 'config' AND payload->>'event' LIKE 'context-key-%' ORDER BY sequence`,
    );
    const [first, second] = [apiKeyId(apiKey), apiKeyId(otherKey)];
    expect(rows).toEqual([
      { event: 'context-key-created', id: first },
      { event: 'context-key-created', id: second },
      { event: 'context-key-revoked', id: first },
      { event: 'context-key-revoked', id: second },
    ]);
    expect(await readContextKeys(app.trail, 0)).toMatchObject([
      { id: first, name: 'app', revokedAt: expect.any(String) },
      { id: second, revokedAt: expect.any(String) },
    ]);
  });

  test('without the encryption key, or with another one, it records: unsigned', async () => {
    const app = await authenticApplication();
    const { encryptionKey: _, ...without } = app.targets;
    await app.emit(app.sign('{}'));
    const warnings: string[] = [];
    const log = (_fields: unknown, text: string) => void warnings.push(text);
    const logger = { debug: log, info: log, warn: log, error: log };
    await createWorker({ ...without, logger }).run({ drain: true });
    expect(warnings).toContainEqual(expect.stringContaining('BEMI_ENCRYPTION_KEY'));
    await app.emit(app.sign('{}'));
    await createWorker({ ...without, encryptionKey: Buffer.alloc(32).toString('hex') }).run({ drain: true });
    const last = app.sign('{}');
    await app.emit(last);
    await createWorker(without).run({ drain: true });
    // With the key again, what came meanwhile is known all the same.
    await app.emit(last);
    expect(await app.record()).toEqual(['unsigned', 'unsigned', 'unsigned', 'replayed']);
    expect(() => createWorker({ ...without, encryptionKey: 'short' })).toThrow('BEMI_ENCRYPTION_KEY');
  });

  test('who may write to the audit database can’t make a key of his own', async () => {
    const app = await authenticApplication();
    const ids = [
      await askForContextKey(app.trail, otherKey, Buffer.alloc(32).toString('hex')),
      await request(app.trail, 0, 'config', { event: 'context-key-created', id: 'AAAAAAAA' }),
      await request(app.trail, 0, 'config', { event: 'context-key-created', id: apiKeyId(apiKey) }),
      await request(app.trail, 0, 'config', { event: 'context-key-revoked', id: 'AAAAAAAA' }),
      await request(app.trail, 0, 'config', { event: 'context-key-changed', id: apiKeyId(apiKey) }),
      await request(app.trail, 0, 'config', {
        ...{ event: 'context-key-revoked', id: apiKeyId(apiKey) },
        afterSeconds: -1,
      }),
    ];
    await app.emit(app.sign('{}', { key: otherKey }));
    expect(await app.record()).toEqual(['unsigned']);
    for (const id of ids) expect(await answered(app.trail, id)).toHaveProperty('refusal');
  });
});

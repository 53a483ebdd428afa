import { createDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { setUpRoles, testTrailRoles } from '../../test/trail-roles.ts';
import { openRequests, request } from '../inbox.ts';
import { migrate } from '../migrate.ts';
import { createSource } from '../sources.ts';
import { accessLogName, findAccessLog } from './access-log.ts';
import { countWaitingAccesses, readAccesses } from './read-accesses.ts';
import { recordAccess } from './record-access.ts';

const source = {
  name: 'clinic',
  systemIdentifier: '1',
  database: 'clinic',
  slot: 'bemi_slot',
  publication: 'bemi_publication',
  timeline: 1,
  completeFromLsn: '0/100',
};

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client(url);
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

/** An audit database with its roles, and somebody who was let read it by hand. */
async function trailWithRoles() {
  const database = await createDatabase();
  const wanted = testTrailRoles(database);
  await setUpRoles(database.url, wanted);
  const as = (role: string, password: string) => connected(database.urlAs(role, password));
  return {
    database,
    wanted,
    superuser: await database.connect(),
    writer: await as(wanted.writer, wanted.writerPassword),
    reader: await as(wanted.reader, wanted.readerPassword),
  };
}

test('whoever may read the trail may ask, and for nothing else; who it was, the database says', async () => {
  const { reader, writer, superuser, wanted } = await trailWithRoles();
  expect(await findAccessLog(reader)).toBeUndefined();
  await createSource(writer, source);
  await recordAccess(reader, { what: 'search', via: 'cli', by: { id: 'maria' }, log: 'clinic', changes: 3 });
  expect(await findAccessLog(reader)).toMatchObject({ log: 1, nextSequence: 0 });
  const [waiting] = await readAccesses(reader, { limit: 10 });
  expect(waiting).toMatchObject({
    ...{ entry: undefined, what: 'search', via: 'cli', by: { id: 'maria' }, role: wanted.reader, changes: 3 },
    ...{ connectedFrom: expect.stringMatching(/^(127\.0\.0\.1|::1)$/), at: expect.stringMatching(/Z$/) },
  });
  expect((await openRequests(reader, 1, '0')).map(({ kind, actor }) => ({ kind, actor }))).toEqual([
    { kind: 'access', actor: 'maria' },
  ]);

  await reader.query('SET default_transaction_read_only = off');
  for (const [what, access] of [
    ['a claim of another role', { what: 'view', via: 'cli', role: wanted.owner }],
    ['a claim of another time', { what: 'view', via: 'cli', at: '2020-01-01T00:00:00Z' }],
    ['another member', { what: 'view', via: 'cli', note: 'x' }],
    ['another kind', { what: 'erase', via: 'cli' }],
    ['no kind', { via: 'cli' }],
    ['another way', { what: 'view', via: 'psql' }],
    ['a type of another member', { what: 'view', via: 'cli', changes: '3' }],
    ['half an entry', { what: 'view', via: 'cli', changes: 1.5 }],
    ['less than none', { what: 'view', via: 'cli', sequence: -1 }],
    ['a part of nothing', { what: 'view', via: 'cli', part: 'middle' }],
    ['controls', { what: 'view', via: 'cli', by: { id: 'a\u001b[2J' } }],
    ['a text that runs backwards', { what: 'view', via: 'cli', filters: ['a\u202eb'] }],
    ['a member that drives a terminal', { what: 'view', via: 'cli', by: { 'a\u001b': 'x' } }],
    ['too much', { what: 'view', via: 'cli', userAgent: 'x'.repeat(9_000) }],
    ['a list', [1]],
  ] as const) {
    await expect(
      reader.query('SELECT bemi.request_access($1)', [JSON.stringify(access)]),
      what,
    ).rejects.toMatchObject({ code: 'BM003' });
  }
  for (const statement of [
    `INSERT INTO bemi.inbox (log, kind, payload) VALUES (1, 'access', '{}')`,
    `SELECT bemi.erase_accesses(1, '[]')`,
    'DELETE FROM bemi.inbox',
    'UPDATE bemi.inbox SET payload = NULL',
  ]) {
    await expect(reader.query(statement), statement).rejects.toMatchObject({ code: '42501' });
  }
  expect(await countWaitingAccesses(reader)).toMatchObject({
    count: 1,
    since: waiting?.at?.slice(0, 10) && expect.any(String),
  });

  // Neither the worker's role nor a superuser who goes past the function speaks for anybody else.
  for (const client of [writer, superuser]) {
    await expect(request(client, 1, 'access', { what: 'view', via: 'cli', role: 'x' })).rejects.toMatchObject(
      {
        code: '42501',
      },
    );
  }
  await request(writer, 1, 'custom', {});
  await recordAccess(writer, { what: 'sign-in-failed', via: 'dashboard', address: '203.0.113.7' });
  expect((await readAccesses(writer, { who: wanted.writer, limit: 10 })).map(({ what }) => what)).toEqual([
    'sign-in-failed',
  ]);
});

test('a role that may not read is not listened to, one that was let read by hand is', async () => {
  const { superuser, database } = await trailWithRoles();
  const name = `other_${database.name}`;
  await superuser.query(`CREATE ROLE ${name} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA bemi TO ${name}`);
  onTestFinished(async () => {
    const admin = await database.connect();
    await admin.query(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
    await admin.end();
  });
  const other = await connected(database.urlAs(name, 'x'));
  const access = { what: 'search', via: 'cli' } as const;
  await expect(recordAccess(other, access)).rejects.toMatchObject({ reason: 'denied' });
  await superuser.query(`GRANT SELECT ON ALL TABLES IN SCHEMA bemi TO ${name}`);
  await recordAccess(other, access);
  expect(await readAccesses(other, { limit: 1 })).toMatchObject([{ role: name }]);
});

test('no source writes into the log of accesses, whatever it is called', async () => {
  const { writer, reader } = await trailWithRoles();
  await expect(createSource(writer, { ...source, name: accessLogName })).rejects.toMatchObject({
    code: 'BM003',
  });
  await recordAccess(reader, { what: 'sign-in', via: 'dashboard' });
  await expect(createSource(writer, { ...source, name: accessLogName })).rejects.toMatchObject({
    code: 'BM003',
  });
});

test('where it can not be recorded, why is said: an older schema, a server that takes no writes', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  const access = { what: 'search', via: 'cli' } as const;
  await expect(recordAccess(client, access)).rejects.toMatchObject({ reason: 'older-schema' });
  await migrate(client);
  await client.query('DROP FUNCTION bemi.request_access');
  await expect(recordAccess(client, access)).rejects.toMatchObject({ reason: 'older-schema' });
});

test('accesses are found by who, what, table, key, log and time; pages follow one another', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await migrate(client);
  await recordAccess(client, {
    what: 'sign-in',
    via: 'dashboard',
    by: { id: 'a1', email: 'ada@example.org' },
  });
  const log = (await findAccessLog(client))!.log;
  await client.query('SELECT bemi.create_partitions($1, 0, 1000000)', [log]);
  const said = [
    {
      by: { id: 'a1', email: 'ada@example.org' },
      what: 'view',
      tables: [{ schema: 'public', table: 'p' }],
      key: '1',
    },
    { by: { id: 'b2' }, what: 'view', tables: [{ schema: 'public', table: 'p' }], key: '2', log: 'app' },
    {
      by: { id: 'b2' },
      what: 'search',
      tables: [{ table: 'p' }, { table: 'q' }],
      at: '2026-01-02T00:00:00.000000Z',
    },
    {
      by: { id: 'b2' },
      what: 'export',
      role: 'bemi_reader',
      tables: [{ schema: 'sales', table: 'p' }],
      lastSequence: 7,
    },
  ];
  for (const [i, payload] of said.entries()) {
    await client.query(
      `INSERT INTO bemi.event_log (log, sequence, at, kind, salt, payload) VALUES ($1, $2, now(), 'access', '\\x00', $3)`,
      [log, i + 2, { at: '2026-01-01T00:00:00.000000Z', via: 'cli', ...payload }],
    );
  }
  await client.query('UPDATE bemi.logs SET next_sequence = 6');
  const found = async (query: object) =>
    (await readAccesses(client, { limit: 10, ...query })).map(({ entry }) => entry ?? 'waiting');
  expect(await found({})).toEqual(['waiting', '5', '4', '3', '2']);
  expect(await found({ limit: 2 })).toEqual(['waiting', '5']);
  expect(await found({ limit: 2, before: '5' })).toEqual(['4', '3']);
  expect(await found({ who: 'ada@example.org' })).toEqual(['waiting', '2']);
  expect(await found({ who: 'b2', what: ['view', 'export'] })).toEqual(['5', '3']);
  expect(await found({ who: 'bemi_reader' })).toEqual(['5']);
  expect(await found({ table: { table: 'p' } })).toEqual(['5', '4', '3', '2']);
  expect(await found({ table: { schema: 'public', table: 'p' } })).toEqual(['4', '3', '2']);
  expect(await found({ table: { table: 'p' }, key: '2' })).toEqual(['3']);
  expect(await found({ log: 'app' })).toEqual(['3']);
  const since = new Date('2026-01-02T00:00:00Z');
  expect(await found({ since })).toEqual(['waiting', '4']);
  expect(await found({ until: since })).toEqual(['5', '3', '2']);
  expect((await readAccesses(client, { limit: 10, what: ['export'] }))[0]).toMatchObject({
    lastSequence: '7',
  });

  expect((await client.query(`SELECT bemi.erase_accesses($1, '[[0,1000]]') AS n`, [log])).rows).toEqual([
    { n: '4' },
  ]);
  expect(await readAccesses(client, { limit: 2, before: '6' })).toMatchObject([
    { entry: '5', isErased: true, by: {}, what: undefined },
    { entry: '4', isErased: true },
  ]);
});

test('what is rare is found by an index, in a log of many; pages have no hole where they pass over to it', async () => {
  const database = await createDatabase();
  const client = await database.connect();
  await migrate(client);
  await recordAccess(client, { what: 'sign-in', via: 'dashboard' });
  const log = (await findAccessLog(client))!.log;
  await client.query('SELECT bemi.create_partitions($1, 0, 1000000)', [log]);
  // One a minute.
  await client.query(
    `INSERT INTO bemi.event_log (log, sequence, at, kind, payload)
     SELECT $1, n, now(), 'access', json_build_object('what', CASE n WHEN 5 THEN 'export' ELSE 'view' END, 'key', n::text,
              'at', to_char(timestamp '2026-01-01' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'userAgent', repeat('x', 400))
       FROM generate_series(2, 20001) n`,
    [log],
  );
  await client.query('UPDATE bemi.logs SET next_sequence = 20002');
  await client.query('ANALYZE bemi.event_log');
  for (const condition of [
    `e.payload::jsonb @> '{"key":"77"}'`,
    `(e.payload->>'at') COLLATE "C" < '2026-01-01T00:05'`,
  ]) {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN SELECT FROM bemi.event_log e WHERE e.log = ${log} AND e.kind = 'access' AND ${condition}`,
    );
    expect(rows.map((row) => row['QUERY PLAN']).join('\n'), condition).toMatch(/Index Scan/);
  }
  const found = async (query: object, limit = 5) =>
    (await readAccesses(client, { before: '20002', limit, ...query })).map(({ entry }) => entry);
  expect(await found({ key: '77' })).toEqual(['77']);
  expect(await found({ what: ['export'] })).toEqual(['5']);
  const minute = (n: number) => new Date(Date.UTC(2026, 0, 1, 0, n));
  expect(await found({ since: minute(10), until: minute(12) })).toEqual(['11', '10']);
  expect(await found({ since: minute(20_000) })).toEqual(['20001', '20000']);
  // A page that begins in the newest entries, which are looked through, and ends beyond them.
  expect(await found({ what: ['view'] }, 2_003)).toEqual(
    Array.from({ length: 2_003 }, (_, i) => String(20_001 - i)),
  );
  expect(await found({ what: ['view'], before: '7' })).toEqual(['6', '4', '3', '2']);
});

test('while the schema is made, accesses wait for it, and it for nobody', async () => {
  // Each locks tables that the other wants: one time is not enough to meet.
  for (let time = 0; time < 4; time++) {
    const database = await createDatabase();
    const [migrating, ...asking] = await Promise.all([1, 2, 3].map(() => connected(database.url)));
    const refusals = new Set<unknown>();
    let isMade = false;
    const made = migrate(migrating!).finally(() => {
      isMade = true;
    });
    await Promise.all(
      asking.map(async (client) => {
        while (!isMade) {
          await recordAccess(client, { what: 'view', via: 'dashboard' }).catch(
            (error: { reason?: unknown }) => refusals.add(error.reason ?? error),
          );
        }
      }),
    );
    await made;
    expect([...refusals]).toEqual(['older-schema']);
    expect(await recordAccess(asking[0]!, { what: 'view', via: 'dashboard' })).toMatch(/^\d+$/);
  }
});

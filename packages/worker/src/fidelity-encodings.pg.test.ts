import { createDatabase } from '@bemi-db/test-kit/database';
import { createRecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { streamsContext } from '@bemi-db/test-kit/server-major';
import { differences, recordedChanges, watchedChanges, watchRows } from '@bemi-db/test-kit/to-jsonb-oracle';
import { expect, test } from 'vitest';
import { textDecoder } from './context-text.ts';
import { createWorker } from './create-worker.ts';

/** Every encoding that a server may have, besides UTF8 and SQL_ASCII. */
const singleByteEncodings = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((n) => `LATIN${n}`),
  ...[5, 6, 7, 8].map((n) => `ISO_8859_${n}`),
  ...[1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258, 866, 874].map((n) => `WIN${n}`),
  'KOI8R',
  'KOI8U',
];
const multiByteEncodings = ['EUC_CN', 'EUC_JP', 'EUC_JIS_2004', 'EUC_KR', 'EUC_TW', 'MULE_INTERNAL'];

test('text in every encoding reads as the server converts it, or not at all', async () => {
  const client = await (await createDatabase()).connect();
  await client.query(`
    CREATE FUNCTION pg_temp.converted(content bytea, encoding text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
      RETURN convert_from(content, encoding);
    EXCEPTION WHEN OTHERS THEN
      RETURN NULL;
    END $$`);
  const wrong: string[] = [];
  for (const encoding of [...singleByteEncodings, ...multiByteEncodings]) {
    const isSingleByte = singleByteEncodings.includes(encoding);
    const contents = isSingleByte
      ? Array.from({ length: 255 }, (_, i) => Buffer.from([i + 1]))
      : Array.from({ length: 94 * 94 }, (_, i) => Buffer.from([0xa1 + Math.floor(i / 94), 0xa1 + (i % 94)]));
    const { rows } = await client.query<{ text: string | null }>(
      `SELECT pg_temp.converted(content, $2) AS text FROM unnest($1::bytea[]) WITH ORDINALITY AS c(content, n) ORDER BY n`,
      [contents, encoding],
    );
    const decode = textDecoder(encoding);
    for (const [i, { text }] of rows.entries()) {
      const ours = decode(contents[i]!);
      // What the server can't convert it can't have stored as text; a single-byte encoding must be read whole.
      if (text === null || (ours === undefined && !isSingleByte) || ours === text) continue;
      wrong.push(`${encoding} ${contents[i]!.toString('hex')}: ${text}, not ${ours}`);
    }
  }
  expect(wrong.slice(0, 10)).toEqual([]);
});

test.each(['LATIN1', 'WIN1252', 'LATIN10', 'EUC_JP'])(
  'a database in %s: names, rows and contexts',
  async (encoding) => {
    const euro = encoding === 'LATIN1' || encoding === 'EUC_JP' ? '¤' : '€';
    const { source, audit, sql, trail, slot } = await createRecordedDatabase(
      async (client) => {
        await client.query(`CREATE TABLE "Größe${euro}" (id text PRIMARY KEY, "naïve" text, j json, x xml);
                        ALTER TABLE "Größe${euro}" REPLICA IDENTITY FULL`);
        await watchRows(client, { [`"Größe${euro}"`]: [] });
      },
      await templateIn(encoding),
    );
    await sql.query('BEGIN');
    await sql.query(`SELECT pg_logical_emit_message(true, '_bemi', $1::text)`, [
      `{"who": "é${euro}", "ß": "\\u20ac"}`,
    ]);
    await sql.query(`INSERT INTO "Größe${euro}" VALUES ('é${euro}', 'ß"', '{"ä": "ü"}', '<ö/>')`);
    await sql.query('COMMIT');
    await sql.query(`UPDATE "Größe${euro}" SET "naïve" = 'ÄÖÜ${euro}'`);
    await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

    const recorded = await recordedChanges(trail);
    expect(differences(await watchedChanges(sql), recorded)).toEqual([]);
    expect(recorded[0]?.primaryKey).toBe(`é${euro}`);
    const { rows } = await trail.query('SELECT context FROM bemi.changes WHERE context IS NOT NULL');
    expect(rows).toEqual(streamsContext() ? [{ context: { who: `é${euro}`, ß: '€' } }] : []);
  },
);

test('a database without an encoding: UTF-8 is recorded, other bytes are kept as they are', async () => {
  const { source, audit, sql, trail, slot } = await createRecordedDatabase(
    (client) =>
      client.query(`CREATE TABLE t (id text PRIMARY KEY, v text); ALTER TABLE t REPLICA IDENTITY FULL`),
    await templateIn('SQL_ASCII'),
  );
  const latin1 = (text: string) =>
    `convert_from('\\x${Buffer.from(text, 'latin1').toString('hex')}', 'SQL_ASCII')`;
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', '{"who": "é"}');
                   INSERT INTO t VALUES ('é', '😀'); COMMIT`);
  await sql.query(`BEGIN; SELECT pg_logical_emit_message(true, '_bemi', ${latin1('{"who": "é"}')});
                   INSERT INTO t VALUES ('a', ${latin1('é')}); COMMIT`);
  await sql.query(`UPDATE t SET v = 'healed' WHERE id = 'a'`);
  await sql.query(`UPDATE t SET v = 'again' WHERE id = 'a'`);
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });

  const { rows } = await trail.query(
    'SELECT operation, primary_key, before, after, context FROM bemi.changes ORDER BY id',
  );
  const blank = { primary_key: null, before: null, after: null, context: null };
  expect(rows).toEqual([
    {
      operation: 'INSERT',
      primary_key: 'é',
      before: null,
      after: { id: 'é', v: '😀' },
      context: streamsContext() ? { who: 'é' } : null,
    },
    { ...blank, operation: 'INSERT' },
    { ...blank, operation: 'UPDATE' },
    {
      operation: 'UPDATE',
      primary_key: 'a',
      before: { id: 'a', v: 'healed' },
      after: { id: 'a', v: 'again' },
      context: null,
    },
  ]);
  const { rows: kept } = await trail.query('SELECT field, reason FROM bemi.quarantine ORDER BY sequence');
  expect(kept).toEqual([
    ...(streamsContext() ? [{ field: 'context', reason: 'no text in the encoding SQL_ASCII' }] : []),
    { field: 'row', reason: 'invalid-utf-8' },
    { field: 'row', reason: 'invalid-utf-8' },
  ]);
});

/** An empty database in another encoding, to copy. */
async function templateIn(encoding: string): Promise<string> {
  const database = await createDatabase();
  const client = await database.connect();
  const name = `${database.name}_${encoding.toLowerCase()}`;
  await client.query(
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`,
  );
  return name;
}

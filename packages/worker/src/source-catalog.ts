import { setTimeout as delay } from 'node:timers/promises';
import { parseLsn } from '@bemi-db/replication/lsn';
import type { Relation } from '@bemi-db/replication/pgoutput';
import type pg from 'pg';
import type { CatalogColumn, CatalogTable, SourceCatalog } from './table-shape.ts';
import { type CatalogType, type TypeEncoding, typeEncoding } from './type-encoding.ts';

/** With synchronous standbys a commit may stay invisible for long; if this stream is one of them, for ever. */
const commitPatienceMs = 10_000;
const commitPollMs = 5;

/**
 * What the source's catalog says now of a table that the stream has just described, and of its types. The catalog
 * speaks of the present, the stream of the moment of the change: the table may be gone or altered, its types too.
 *
 * @param xid - the transaction that the description stands in.
 */
export async function lookUpTable(
  client: pg.ClientBase,
  relation: Relation,
  xid: number,
): Promise<SourceCatalog> {
  await untilCatalogShows(client, xid);
  // First: it tells the position that the types, read after it, are no older than.
  const table = await readTable(client, relation);
  const types = await readTypes(client, relation);
  const typeNames = await readTypeNames(client, relation);
  const encodings = new Map<number, TypeEncoding>();
  for (const { typeOid } of relation.columns) {
    const encoding = typeEncoding(typeOid, types);
    if (encoding) encodings.set(typeOid, encoding);
  }
  return { table, encodings, typeNames };
}

/**
 * A commit is in the WAL, and sent to us, before other sessions see it. What the transaction itself did to the catalog
 * must be there when we look: it may have made the very table. It has while it holds the lock that all DDL takes.
 */
async function untilCatalogShows(client: pg.ClientBase, xid: number): Promise<void> {
  const deadlineMs = performance.now() + commitPatienceMs;
  for (;;) {
    const { rows } = await client.query<{ isInvisible: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_locks own JOIN pg_locks held ON held.virtualtransaction = own.virtualtransaction
                       WHERE own.locktype = 'transactionid' AND own.transactionid = $1::text::xid AND own.granted
                         AND own.mode = 'ExclusiveLock' AND held.locktype = 'relation'
                         AND held.mode = 'AccessExclusiveLock') AS "isInvisible"`,
      [String(xid)],
    );
    if (!rows[0]?.isInvisible || performance.now() > deadlineMs) return;
    await delay(commitPollMs);
  }
}

interface TableRow {
  readonly rootSchema: string | null;
  readonly rootTable: string | null;
  readonly columns: (CatalogColumn & { readonly isGenerated: boolean })[] | null;
  readonly primaryKey: string[] | null;
  readonly isKeyDeferrable: boolean | null;
  readonly asOfLsn: string;
}

async function readTable(client: pg.ClientBase, relation: Relation): Promise<CatalogTable | undefined> {
  const { rows } = await client.query<TableRow>(
    `SELECT n.nspname AS "rootSchema", root.relname AS "rootTable",
            (SELECT json_agg(json_build_object('name', a.attname, 'typeOid', a.atttypid::bigint,
                                               'typeModifier', a.atttypmod, 'isGenerated', a.attgenerated <> '') ORDER BY a.attnum)
               FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
            (SELECT json_agg(a.attname ORDER BY key.ordinality)
               FROM unnest(i.indkey) WITH ORDINALITY AS key(attnum, ordinality)
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = key.attnum
              WHERE key.ordinality <= i.indnkeyatts) AS "primaryKey",
            NOT i.indimmediate AS "isKeyDeferrable",
            CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END AS "asOfLsn"
       FROM pg_class c
       LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
       LEFT JOIN pg_class root ON root.oid = pg_partition_root(c.oid) AND root.oid <> c.oid
       LEFT JOIN pg_namespace n ON n.oid = root.relnamespace
      WHERE c.oid = $1`,
    [relation.oid],
  );
  const row = rows[0];
  if (!row) return undefined;
  const streamed = new Set(relation.columns.map((column) => column.name));
  return {
    root:
      row.rootSchema !== null && row.rootTable !== null
        ? { schema: row.rootSchema, table: row.rootTable }
        : undefined,
    // Generated columns are published only where PostgreSQL 18's publish_generated_columns says so.
    columns: (row.columns ?? []).filter((column) => !column.isGenerated || streamed.has(column.name)),
    primaryKey: row.primaryKey ?? [],
    isKeyDeferrable: row.isKeyDeferrable ?? false,
    asOfLsn: parseLsn(row.asOfLsn),
  };
}

/** The types of a table's columns and all types that they are made of. */
async function readTypes(client: pg.ClientBase, relation: Relation): Promise<Map<number, CatalogType>> {
  const { rows } = await client.query<{
    oid: string;
    kind: string;
    baseOid: string;
    elementOid: string;
    elementDelimiter: string | null;
    jsonCast: string | null;
    fields: { name: string; typeOid: number }[] | null;
  }>(
    `WITH RECURSIVE used(oid) AS (
       SELECT unnest($1::oid[])
       UNION
       SELECT part.oid FROM used JOIN pg_type t ON t.oid = used.oid
        CROSS JOIN LATERAL (
          SELECT t.typbasetype AS oid
          UNION ALL SELECT t.typelem WHERE t.typlen = -1
          UNION ALL SELECT a.atttypid FROM pg_attribute a
                     WHERE a.attrelid = t.typrelid AND t.typtype = 'c' AND a.attnum > 0 AND NOT a.attisdropped
        ) part WHERE part.oid <> 0)
     SELECT t.oid, t.typtype AS kind, t.typbasetype AS "baseOid",
            CASE WHEN t.typlen = -1 THEN t.typelem ELSE 0 END AS "elementOid", element.typdelim AS "elementDelimiter",
            (SELECT p.prosrc FROM pg_cast cast_ JOIN pg_proc p ON p.oid = cast_.castfunc
              WHERE cast_.castsource = t.oid AND cast_.casttarget = 'json'::regtype) AS "jsonCast",
            CASE WHEN t.typtype = 'c' THEN
              (SELECT json_agg(json_build_object('name', a.attname, 'typeOid', a.atttypid::bigint) ORDER BY a.attnum)
                 FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END AS fields
       FROM used JOIN pg_type t ON t.oid = used.oid LEFT JOIN pg_type element ON element.oid = t.typelem`,
    [relation.columns.map((column) => column.typeOid)],
  );
  return new Map(
    rows.map((row) => [
      Number(row.oid),
      {
        oid: Number(row.oid),
        kind: row.kind,
        baseOid: Number(row.baseOid),
        elementOid: Number(row.elementOid),
        elementDelimiter: row.elementDelimiter ?? ',',
        jsonCast: row.jsonCast ?? undefined,
        fields: row.fields ?? [],
      },
    ]),
  );
}

async function readTypeNames(client: pg.ClientBase, relation: Relation): Promise<Map<string, string>> {
  const { rows } = await client.query<{ typeOid: string; modifier: number; name: string }>(
    `SELECT t.oid AS "typeOid", t.modifier, format_type(t.oid, t.modifier) AS name
       FROM unnest($1::oid[], $2::integer[]) AS t(oid, modifier)
      WHERE EXISTS (SELECT FROM pg_type WHERE pg_type.oid = t.oid)`,
    [relation.columns.map((column) => column.typeOid), relation.columns.map((column) => column.typeModifier)],
  );
  return new Map(rows.map((row) => [`${row.typeOid}:${row.modifier}`, row.name]));
}

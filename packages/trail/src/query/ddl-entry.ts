import type { Authenticity } from '@bemi-db/proof/record';
import type pg from 'pg';
import type { ChangeFilter } from './change-filter.ts';
import { saysSomething } from './context-share.ts';
import { actorCondition, contextConditions } from './filter-conditions.ts';
import { Parameters } from './parameters.ts';
import { shownContext } from './row-sql.ts';
import type { Order } from './sequence-range.ts';

/** A `ddl` event of the log, with what its transaction says. Texts as they were recorded; anybody may have sent the message. */
export interface DdlEntry {
  readonly sequence: string;
  /** JSON text of an object: docs/spec/ddl-message.md. `undefined` where it was refused or erased. */
  readonly message: string | undefined;
  /** Why the message could not be read. */
  readonly refused: string | undefined;
  readonly erased: boolean;
  readonly context: string | undefined;
  readonly authenticity: Authenticity | undefined;
  readonly contextErased: boolean;
  /** JSON text, as of a change. */
  readonly actor: string | undefined;
  /** When the source transaction committed: ISO 8601 in UTC, with microseconds. */
  readonly timestamp: string;
  /** Sequence of its transaction's first entry; `undefined` where retention has dropped that. */
  readonly transaction: string | undefined;
  /** `undefined` where it was erased. */
  readonly transactionId: string | undefined;
  /** LSN of the message. */
  readonly position: string | undefined;
}

export interface DdlSearch {
  readonly log: number;
  /** What DDL can't satisfy (operations, keys, values and columns) the caller judges. */
  readonly filter: ChangeFilter;
  /** Default `newest-first`. */
  readonly order?: Order;
  readonly limit: number;
}

/** The first entries that satisfy a filter. A log has few: each is looked at. */
export async function selectDdl(client: pg.ClientBase, search: DdlSearch): Promise<DdlEntry[]> {
  const { log, filter, order, limit } = search;
  const parameters = new Parameters();
  const conditions = [`e.log = ${parameters.add(log)}`, `e.kind = 'ddl'`];
  const { after, before, since, until, tables, transaction, transactionId, actor, text } = filter;
  if (after !== undefined) conditions.push(`e.sequence > ${parameters.add(after)}::bigint`);
  if (before !== undefined) conditions.push(`e.sequence < ${parameters.add(before)}::bigint`);
  if (since) conditions.push(`e.at >= ${parameters.add(since)}`);
  if (until) conditions.push(`e.at < ${parameters.add(until)}`);
  if (transaction !== undefined) conditions.push(`t.transaction::text = ${parameters.add(transaction)}`);
  if (transactionId !== undefined) conditions.push(`e.payload ->> 'xid' = ${parameters.add(transactionId)}`);
  if (tables) {
    const schemas = parameters.add(tables.map(({ schema }) => schema ?? null));
    const names = parameters.add(tables.map(({ name }) => name));
    conditions.push(`EXISTS (SELECT FROM json_array_elements(${objects}) o
      JOIN unnest(${schemas}::text[], ${names}::text[]) AS wanted(schema, name)
        ON coalesce(o -> 'table', o) ->> 'name' = wanted.name
           AND (wanted.schema IS NULL OR coalesce(o -> 'table', o) ->> 'schema' = wanted.schema))`);
  }
  conditions.push(...contextConditions(filter.context ?? [], parameters));
  if (filter.authenticity)
    conditions.push(`x.authenticity = ANY (${parameters.add(filter.authenticity)}::text[])`);
  if (filter.withoutContext) conditions.push(`(x.sequence IS NULL OR NOT ${saysSomething})`);
  if (actor !== undefined) {
    // The message says itself who ran the command.
    const said = ['session_user', 'role', 'application_name', 'client_addr'].map(
      (member) => `e.payload #>> '{message,${member}}'`,
    );
    conditions.push(
      `(${parameters.add(actor)} IN (${said.join(', ')}) OR ${actorCondition(actor, parameters)})`,
    );
  }
  if (text !== undefined) {
    const wanted = parameters.add(text);
    conditions.push(`strpos(lower(concat_ws(E'\\n', e.payload #>> '{message,statement}', (e.payload -> 'message')::text,
                                           (x.context::jsonb - '_bemi')::text, t.actor::text)), lower(${wanted})) > 0`);
  }
  const { rows } = await client.query<NullableEntry>(
    `SELECT e.sequence::text AS sequence, (e.payload -> 'message')::text AS message, e.payload ->> 'refused' AS refused,
            e.salt IS NULL AS erased, ${shownContext} AS context, x.authenticity,
            coalesce(x.salt IS NULL AND x.commitment IS NOT NULL, false) AS "contextErased", t.actor::text AS actor,
            to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS timestamp,
            t.transaction::text AS transaction, e.payload ->> 'xid' AS "transactionId", e.payload ->> 'lsn' AS position
       FROM bemi.event_log e
       -- The next commit is that of its transaction; retention may have dropped it.
       LEFT JOIN LATERAL (SELECT c.transaction, c.actor, c.commit_lsn FROM bemi.transaction_log c
                           WHERE c.log = e.log AND c.sequence > e.sequence ORDER BY c.sequence LIMIT 1) t
              ON t.commit_lsn::text = e.payload ->> 'commitLsn'
       LEFT JOIN bemi.context_log x
              ON x.log = e.log AND x.transaction = t.transaction AND x.context_no::text = e.payload ->> 'contextNumber'
      WHERE ${conditions.join(' AND ')}
      ORDER BY e.sequence ${order === 'oldest-first' ? 'ASC' : 'DESC'} LIMIT ${parameters.add(limit)}`,
    parameters.values,
  );
  return rows.map((row) => ({
    ...row,
    message: row.message ?? undefined,
    refused: row.refused ?? undefined,
    context: row.context ?? undefined,
    authenticity: row.authenticity ?? undefined,
    actor: row.actor ?? undefined,
    transaction: row.transaction ?? undefined,
    transactionId: row.transactionId ?? undefined,
    position: row.position ?? undefined,
  }));
}

const objects = `CASE json_typeof(e.payload #> '{message,objects}') WHEN 'array' THEN e.payload #> '{message,objects}' ELSE '[]' END`;

type NullableEntry = {
  [Key in keyof DdlEntry]: undefined extends DdlEntry[Key]
    ? Exclude<DdlEntry[Key], undefined> | null
    : DdlEntry[Key];
};

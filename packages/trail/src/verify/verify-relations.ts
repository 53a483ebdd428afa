import type pg from 'pg';
import type { StoredFinding } from './stored-finding.ts';

/** What a `relation` event says of a table's names. */
interface RelationNames {
  readonly oid?: unknown;
  readonly schema?: unknown;
  readonly table?: unknown;
  readonly rootSchema?: unknown;
  readonly rootTable?: unknown;
}

/**
 * Compares the table `relations`, by which the view names tables, with the events that the log holds.
 *
 * @param events - payloads of the `relation` events, as they were verified, by sequence.
 * @param size - how many entries were verified; what a worker has added since is not looked at.
 */
export async function verifyRelations(
  client: pg.ClientBase,
  log: number,
  events: ReadonlyMap<number, string>,
  size: number,
): Promise<StoredFinding[]> {
  const { rows } = await client.query<{
    relation: string;
    oid: string;
    schema: string;
    table: string;
    rootSchema: string;
    rootTable: string;
    document: string;
  }>(
    `SELECT relation, oid, schema_name AS schema, table_name AS "table", root_schema AS "rootSchema",
            root_table AS "rootTable", document::text AS document
       FROM bemi.relations
      WHERE log = $1 AND (relation < $2 OR relation >= (SELECT next_sequence FROM bemi.logs WHERE log = $1))
      ORDER BY relation`,
    [log, size],
  );
  const findings: StoredFinding[] = [];
  const left = new Set(events.keys());
  for (const row of rows) {
    const sequence = Number(row.relation);
    left.delete(sequence);
    const event = events.get(sequence);
    if (event === undefined) findings.push({ code: 'relation-altered', sequence, reason: 'no-event' });
    else if (event !== row.document)
      findings.push({ code: 'relation-altered', sequence, reason: 'other-document' });
    else {
      const names = JSON.parse(event) as RelationNames;
      const isSame =
        String(names.oid) === row.oid &&
        names.schema === row.schema &&
        names.table === row.table &&
        names.rootSchema === row.rootSchema &&
        names.rootTable === row.rootTable;
      if (!isSame) findings.push({ code: 'relation-altered', sequence, reason: 'other-names' });
    }
  }
  for (const sequence of left) findings.push({ code: 'relation-altered', sequence, reason: 'no-row' });
  return findings;
}

import type pg from 'pg';
import type { Change } from './change.ts';
import type { TableFilter } from './change-filter.ts';
import { recordKey } from './record-key.ts';
import { eachChange } from './search-changes.ts';

export interface RecordQuery {
  readonly log: number;
  readonly table: TableFilter;
  /** The text of each column of the primary key, in the key's order. */
  readonly key: readonly string[];
  readonly changedOnly?: boolean;
}

/**
 * A record's life, oldest first: every change under this key, through all shapes that the table has had. An UPDATE of
 * the key itself belongs to the new key.
 */
export function recordHistory(
  client: pg.ClientBase,
  { log, table, key, changedOnly }: RecordQuery,
): AsyncGenerator<Change, void, void> {
  return eachChange(client, {
    log,
    filter: { tables: [table], primaryKey: recordKey(key) },
    order: 'oldest-first',
    limit: Number.MAX_SAFE_INTEGER,
    changedOnly: changedOnly ?? false,
  });
}

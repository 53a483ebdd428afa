import type { TableFilter } from '@bemi-db/trail/query/change-filter';
import { tablesNamed } from '@bemi-db/trail/query/table-relations';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';

/** The table that is meant. One that nothing is recorded of yet can be named with its schema. */
export async function oneTable(
  client: pg.ClientBase,
  source: SourceSummary,
  filter: TableFilter,
): Promise<{ readonly schema: string; readonly name: string }> {
  const tables = await tablesNamed(client, source.log, filter);
  const [first, ...others] = tables;
  if (first && others.length === 0) return first;
  if (first) {
    const names = tables.map(({ schema, name }) => `${schema}.${name}`).join(', ');
    throw usageError(`Several tables have this name: ${names}`, 'Name its schema too.');
  }
  if (filter.schema !== undefined) return { schema: filter.schema, name: filter.name };
  throw new CliError(
    1,
    'unknown-table',
    `Nothing is recorded of a table ${filter.name}`,
    'Check the name, case included; of one that is yet to come, name the schema too.',
  );
}

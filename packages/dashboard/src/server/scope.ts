import type { TableFilter } from '@bemi-db/trail/query/change-filter';
import { recordedTables } from '@bemi-db/trail/query/trail-summary';
import { matchesNames, type NamePattern, parseNamePattern } from '@bemi-db/trail/rules/name-pattern';
import type pg from 'pg';
import type { Principal } from './principal.ts';

/** The tables of a log that somebody may read. */
export interface Scope {
  /** Each at its root; `undefined` for all. */
  readonly tables: readonly Required<TableFilter>[] | undefined;
  includes(schema: string, table: string): boolean;
}

const everything: Scope = { tables: undefined, includes: () => true };

/** A pattern that can't be read matches nothing: nobody sees more by a mistake in it. */
export async function scopeOf(client: pg.ClientBase, log: number, principal: Principal): Promise<Scope> {
  if (principal.tables === undefined) return everything;
  const includes = inScope(principal);
  const tables = (await recordedTables(client, log)).filter(({ schema, name }) => includes(schema, name));
  return { tables, includes };
}

/** Whether somebody may read a table, in whatever log. */
export function inScope({ tables }: Principal): Scope['includes'] {
  if (tables === undefined) return everything.includes;
  const patterns = tables
    .map((text) => parseNamePattern(text, 'table'))
    .filter((pattern): pattern is NamePattern => typeof pattern !== 'string');
  return (schema, table) => patterns.some((pattern) => matchesNames(pattern, schema, table));
}

/** What is wanted, as far as it is allowed. An empty list: nothing. */
export function withinScope(
  scope: Scope,
  wanted: readonly TableFilter[] | undefined,
): readonly TableFilter[] | undefined {
  if (!scope.tables) return wanted;
  if (!wanted) return scope.tables;
  return scope.tables.filter((table) =>
    wanted.some(
      ({ schema, name }) => name === table.name && (schema === undefined || schema === table.schema),
    ),
  );
}

import { recordedRelations } from '@bemi-db/trail/relations';
import { matchesNames, parseNamePattern } from '@bemi-db/trail/rules/name-pattern';
import type { TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import type pg from 'pg';

interface Shape {
  readonly schema: string;
  readonly table: string;
  readonly rootSchema: string;
  readonly rootTable: string;
  readonly columns: readonly { readonly name: string }[];
}

/** Patterns that are new, and speak of nothing that the log has ever seen: perhaps they are misspelt. */
export async function unmatchedPatterns(
  client: pg.ClientBase,
  log: number,
  rules: TrackingRules,
  before: TrackingRules,
): Promise<string[]> {
  const tables = [...rules.include, ...rules.exclude].filter(
    (pattern) => !before.include.includes(pattern) && !before.exclude.includes(pattern),
  );
  const columns = [...rules.ignore, ...Object.keys(rules.redact)].filter(
    (pattern) => !before.ignore.includes(pattern) && !Object.hasOwn(before.redact, pattern),
  );
  if (tables.length + columns.length === 0) return [];
  const shapes = (await recordedRelations(client, log)).map(({ document }) => JSON.parse(document) as Shape);
  const matches = (text: string, kind: 'table' | 'column'): boolean => {
    const pattern = parseNamePattern(text, kind);
    if (typeof pattern === 'string') return true; // is said elsewhere
    return shapes.some(({ schema, table, rootSchema, rootTable, columns: all }) =>
      (kind === 'table' ? [[]] : all.map(({ name }) => [name])).some(
        (column) =>
          matchesNames(pattern, rootSchema, rootTable, ...column) ||
          matchesNames(pattern, schema, table, ...column),
      ),
    );
  };
  return [
    ...tables.filter((text) => !matches(text, 'table')),
    ...columns.filter((text) => !matches(text, 'column')),
  ];
}

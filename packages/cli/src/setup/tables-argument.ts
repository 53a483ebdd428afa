import type { SourceSnapshot } from '@bemi-db/source/source-snapshot';
import { parseTableName, type TableName } from '@bemi-db/source/table-name';
import { matchesNames, parseNamePattern } from '@bemi-db/trail/rules/name-pattern';
import { usageError } from '../cli-error.ts';

const form = 'Write schema.table, with * for any characters.';

/** Tables that are named, and patterns of names. */
export interface TableSelection {
  readonly names: readonly TableName[];
  readonly patterns: readonly string[];
}

/**
 * `a,b.c,"odd.name",sales.*`: tables, of schema `public` where none is named; and patterns, of every schema where none is
 * named, in which `*` stands for any characters.
 */
export function parseTableSelection(text: string): TableSelection {
  const parts = (text.match(/(?:"(?:[^"]|"")*"|[^,"])+/gsu) ?? []).filter((part) => part.trim() !== '');
  const isPattern = (part: string) => part.replaceAll(/"(?:[^"]|"")*"/gsu, '').includes('*');
  return {
    names: parts.filter((part) => !isPattern(part)).map((part) => parseName(part)),
    patterns: parts.filter(isPattern).map((part) => part.trim()),
  };
}

/** Tables that are named, where there is no server to ask what a pattern means. */
export function parseTables(text: string): readonly TableName[] {
  const { names, patterns } = parseTableSelection(text);
  const [pattern] = patterns;
  if (pattern === undefined) return names;
  throw usageError(`--tables takes no patterns here: ${pattern}`, 'Name the tables, separated by commas.');
}

function parseName(part: string): TableName {
  try {
    return parseTableName(part);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw usageError(
      `--tables: ${JSON.stringify(part)} is not the name of a table`,
      'Write names as the catalog does, separated by commas: --tables Patient,sales.order',
    );
  }
}

/**
 * The tables that a selection means at this moment. A pattern selects no tables of extensions, none that are unlogged, and of
 * a partitioned table it alone, since its partitions come with it.
 *
 * @throws CliError for a pattern that no table has.
 */
export function selectTables(
  { names, patterns }: TableSelection,
  { tables }: SourceSnapshot,
): readonly TableName[] {
  const selectable = tables.filter(
    (table) =>
      table.persistence === 'permanent' && table.extension === undefined && table.parents.length === 0,
  );
  const matching = patterns.flatMap((pattern) => {
    const matches = matcher(pattern);
    const found = selectable.filter(matches);
    if (found.length === 0) {
      throw usageError(`No table is named like ${pattern}`, form);
    }
    return found;
  });
  const all = [...names, ...matching.map(({ schema, name }) => ({ schema, name }))];
  return [...new Map(all.map((table) => [JSON.stringify([table.schema, table.name]), table])).values()];
}

function matcher(text: string): (table: TableName) => boolean {
  const pattern = parseNamePattern(text, 'table');
  if (typeof pattern === 'string') throw usageError(`${text} is no pattern of tables: ${pattern}`, form);
  return ({ schema, name }) => matchesNames(pattern, schema, name);
}

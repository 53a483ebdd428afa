import pg from 'pg';

/** A table as the catalog spells it: no quotes, case kept. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** The name alone, of something that is more. */
export function nameOf({ schema, name }: TableName): TableName {
  return { schema, name };
}

/** The name as SQL needs it, always quoted and with its schema: `"public"."Patient"`. */
export function quoteTable(table: TableName): string {
  return `${pg.escapeIdentifier(table.schema)}.${pg.escapeIdentifier(table.name)}`;
}

/**
 * The name for people, in a form that {@link parseTableName} takes back: `public.Patient`, and quoted only
 * where a dot or a quote would make it ambiguous.
 */
export function displayTable(table: TableName): string {
  return `${displayPart(table.schema)}.${displayPart(table.name)}`;
}

/** Many names in one line of evidence: the first ten, then how many more. */
export function displayTables(tables: readonly TableName[]): string {
  const shown = tables.slice(0, 10).map(displayTable).join(', ');
  return tables.length > 10 ? `${shown} and ${tables.length - 10} more` : shown;
}

export function isSameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}

/**
 * Reads `schema.table`, or `table` of schema `public`, as typed on a command line. Case is kept, unlike in
 * SQL: `public.Patient` is the table that SQL calls `"Patient"`. A part that contains a dot or a quote is
 * written in double quotes, with quotes inside doubled.
 *
 * @throws SyntaxError when it is neither.
 */
export function parseTableName(text: string): TableName {
  const part = '("(?:[^"]|"")+"|[^".]+)';
  const match = new RegExp(`^(?:${part}\\.)?${part}$`, 'su').exec(text.trim());
  if (!match?.[2]) {
    throw new SyntaxError(
      `Not the name of a table: ${text}. Write schema.table, and parts with dots as "like.this"`,
    );
  }
  return { schema: match[1] === undefined ? 'public' : unquote(match[1]), name: unquote(match[2]) };
}

function displayPart(part: string): string {
  return /[".,\s]/u.test(part) ? pg.escapeIdentifier(part) : part;
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

/** A pattern for the names of tables or columns, compiled. */
export interface NamePattern {
  readonly text: string;
  /** For schema, table and, of a column, column: the texts around its stars. `undefined` matches every name. */
  readonly parts: readonly (readonly string[] | undefined)[];
}

const depths = { table: 2, column: 3 } as const;
const forms = {
  table: 'schema.table, or table alone',
  column: 'schema.table.column, table.column, or column alone',
};
/** PostgreSQL's names have 63 bytes at most; three of them with quotes fit. */
const mostCharacters = 400;

/**
 * Reads a pattern: names with dots between, `*` for any characters within a name. What is left out at the front matches
 * everything. In double quotes, as in SQL, every character means itself. Case counts, as the catalog has it.
 *
 * @returns the pattern, or why it is none.
 */
export function parseNamePattern(text: string, kind: keyof typeof depths): NamePattern | string {
  const depth = depths[kind];
  if (text.length > mostCharacters) return `it is longer than ${mostCharacters} characters`;
  const parts = splitNames(text);
  if (typeof parts === 'string') return parts;
  if (parts.some((part) => part.length === 1 && part[0] === '')) return 'a name in it is empty';
  if (parts.length > depth) return `it has ${parts.length} names with dots between: write ${forms[kind]}`;
  return { text, parts: [...Array.from({ length: depth - parts.length }, () => undefined), ...parts] };
}

/** Whether names are those of a pattern, in its order: schema, table and, for a column, column. */
export function matchesNames({ parts }: NamePattern, ...names: readonly string[]): boolean {
  return parts.every((part, i) => part === undefined || matches(part, names[i]!));
}

/** Each text where it comes first, the last one at the end: no other way would match more, so none is tried twice. */
function matches(texts: readonly string[], name: string): boolean {
  const [first = '', ...others] = texts;
  const last = others.pop();
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let from = first.length;
  for (const text of others) {
    const at = name.indexOf(text, from);
    if (at < 0) return false;
    from = at + text.length;
  }
  return name.length - last.length >= from && name.endsWith(last);
}

/** For each name the texts around its stars, or what is wrong. */
function splitNames(text: string): string[][] | string {
  const names = [['']];
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    const name = names.at(-1)!;
    if (character === '"' && isQuoted && text[i + 1] === '"') {
      name[name.length - 1] += '"';
      i++;
    } else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && character === '.') names.push(['']);
    else if (!isQuoted && character === '*') name.push('');
    else name[name.length - 1] += character;
  }
  return isQuoted ? 'a double quote is not closed' : names;
}

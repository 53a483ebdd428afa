import { recordKey } from '../query/record-key.ts';

/** What a `relation` event says of a table's columns, as far as keys go. */
export interface KeyColumns {
  /** Names of the key's columns, in its order. */
  readonly names: readonly string[];
  /** How each of them is written in JSON, as the event has it. */
  readonly encodings: readonly unknown[];
}

/** The key's columns by the document of a `relation` event; none where the table has no key. */
export function keyColumnsOf(document: string): KeyColumns {
  const { primaryKey, columns } = JSON.parse(document) as {
    primaryKey?: readonly string[];
    columns?: readonly { readonly name: string; readonly encoding: unknown }[];
  };
  const names = primaryKey ?? [];
  const encodings = names.map((name) => columns?.find((column) => column.name === name)?.encoding ?? 'text');
  return { names, encodings };
}

/**
 * A key as the log's `primary_key` has it, from the values that a row's JSON has: texts as `->>` gives them.
 *
 * @returns `undefined` where a value is missing, or of a type whose text can't be told from its JSON.
 */
export function keyOfValues(
  values: readonly (string | null)[],
  { encodings }: KeyColumns,
): string | undefined {
  const parts: string[] = [];
  for (const [i, value] of values.entries()) {
    const part = value === null ? undefined : textOf(value, encodings[i]);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts.length === 0 ? undefined : recordKey(parts);
}

/** A value's text as PostgreSQL prints it, from its JSON. */
function textOf(value: string, encoding: unknown): string | undefined {
  switch (encoding) {
    case 'text':
    case 'number':
      return value;
    case 'boolean':
      return value.slice(0, 1);
    case 'timestamp':
      return value.replace('T', ' ');
    case 'timestamptz':
      // The JSON has minutes in the offset, the text has none where they are 0.
      return value.replace('T', ' ').replace(/([+-]\d\d):00( BC)?$/, '$1$2');
    default:
      return undefined;
  }
}

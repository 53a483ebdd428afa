import { jsonMembers } from '@bemi-db/trail/facts/json-members';

/** A column at two moments: JSON texts, `undefined` where the row had no such column or was not there. */
export interface ComparedColumn {
  readonly name: string;
  readonly shown: string | undefined;
  readonly other: string | undefined;
  readonly differs: boolean;
}

/** Two rows side by side, in the order of the first one's columns. */
export function comparedColumns(shown: string | null, other: string | null): ComparedColumn[] {
  const [first, second] = [valuesOf(shown), valuesOf(other)];
  return [...new Set([...first.keys(), ...second.keys()])].map((name) => ({
    name,
    shown: first.get(name),
    other: second.get(name),
    differs: first.get(name) !== second.get(name),
  }));
}

function valuesOf(row: string | null): Map<string, string> {
  return new Map(row === null ? [] : jsonMembers(row).map(({ name, value }) => [name, value]));
}

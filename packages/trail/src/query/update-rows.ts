import { type JsonMember, jsonMembers } from '../facts/json-members.ts';

/** Rows of a change as they are stored: JSON texts of objects. */
interface StoredRows {
  readonly operation: string;
  readonly beforeKind: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** Rows of an UPDATE of which both are known, as they are shown. */
export interface UpdateRows {
  readonly before: string;
  readonly after: string;
  /** Names of the changed columns, in the table's order. */
  readonly changed: readonly string[];
}

/**
 * The rows of an UPDATE whose old row was sent whole, from what is stored of it: `before` holds the columns that changed, and
 * these alone. `undefined` where a row is in quarantine or erased, or the change is none of these. Values are copied, never
 * parsed into numbers, and members come in the order of the table's columns.
 *
 * @param changedOnly - the changed columns alone, in both rows; else all of them.
 */
export function updateRows(stored: StoredRows, changedOnly: boolean): UpdateRows | undefined {
  const { operation, beforeKind, before, after } = stored;
  if (operation !== 'UPDATE' || beforeKind !== 'full' || before === null || after === null) return undefined;
  const changedMembers = jsonMembers(before);
  const old = new Map(changedMembers.map(({ name, value }) => [name, value]));
  const changed = [...old.keys()];
  const members = jsonMembers(after);
  if (changedOnly) return { before, after: objectText(members.filter(({ name }) => old.has(name))), changed };
  const whole = members.map(({ name, value }) => ({ name, value: old.get(name) ?? value }));
  return { before: objectText(whole), after, changed };
}

function objectText(members: readonly JsonMember[]): string {
  return `{${members.map(({ name, value }) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}

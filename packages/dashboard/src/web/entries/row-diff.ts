import { jsonMembers } from '@bemi-db/trail/facts/json-members';
import type { ChangeEntry } from '../../api/entry.ts';

/** A column of a changed row: its value before and after as JSON text; `undefined` where the log has none. */
export interface ColumnDiff {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly isChanged: boolean;
}

/**
 * What a change did to its row, column by column: of an INSERT and a DELETE every column, of an UPDATE those that changed
 * first, if that is known.
 */
export function rowDiff(
  change: Pick<ChangeEntry, 'operation' | 'before' | 'after' | 'changed'>,
): ColumnDiff[] {
  const old = valuesOf(change.before);
  const current = valuesOf(change.after);
  const names = [...new Set([...current.keys(), ...old.keys()])];
  const changed = change.changed && new Set(change.changed);
  const columns = names.map((name) => ({
    name,
    before: old.get(name),
    after: current.get(name),
    isChanged: change.operation !== 'UPDATE' || changed === null || changed.has(name),
  }));
  return [...columns.filter(({ isChanged }) => isChanged), ...columns.filter(({ isChanged }) => !isChanged)];
}

function valuesOf(row: string | null): Map<string, string> {
  return new Map(row === null ? [] : jsonMembers(row).map(({ name, value }) => [name, value]));
}

import type pg from 'pg';
import type { LogChange } from './log-change.ts';
import { membersText, type RowMembers, rowMembers } from './row-members.ts';
import type { WatchedTable } from './watched-tables.ts';

interface KeyedRow {
  readonly members: RowMembers;
  /** The table's shape when it was written. */
  readonly relation: string;
}

/** What a table holds: whole rows with how often each occurs, or rows by their key. */
type TableState =
  | { readonly table: WatchedTable; readonly rows: Map<string, number>; readonly keyed?: never }
  | { readonly table: WatchedTable; readonly keyed: Map<string, KeyedRow>; readonly rows?: never };

/**
 * Every table rebuilt from the log alone, change by change: what is inserted must not be there, what is updated or deleted
 * must be, and be what the change says that it was. Tables are known by their OIDs, since DDL renames them; partitions
 * stand for themselves.
 */
export class TableReplay {
  readonly #states = new Map<number, TableState>();

  constructor(tables: readonly WatchedTable[]) {
    for (const table of tables) {
      this.#states.set(table.oid, table.replayKey ? { table, keyed: new Map() } : { table, rows: new Map() });
    }
  }

  /** Takes the next change. Returns in words what does not fit what came before it. */
  apply(change: LogChange): string | undefined {
    const state = this.#states.get(change.oid);
    if (!state) return `${describe(change)}: no such table is watched`;
    if (change.operation === 'TRUNCATE') {
      (state.rows ?? state.keyed).clear();
      return undefined;
    }
    const problem = state.rows
      ? applyToRows(state.rows, change)
      : applyToKeys(state.table, state.keyed, change);
    return problem && `${describe(change)}: ${problem}`;
  }

  /** The first difference from what the source's tables hold, in words. */
  async compareWith(source: pg.ClientBase, tables: readonly WatchedTable[]): Promise<string | undefined> {
    for (const table of tables) {
      const state = this.#states.get(table.oid);
      const rows = await readRows(source, table);
      const difference = state?.keyed
        ? compareKeys(table, state.keyed, rows)
        : compareRows(state?.rows ?? new Map(), rows);
      if (difference) return `Table ${table.name}, rebuilt from the log: ${difference}`;
    }
    return undefined;
  }
}

function applyToRows(rows: Map<string, number>, { before, after }: LogChange): string | undefined {
  if (before !== null) {
    const count = rows.get(before);
    if (count === undefined) return `by the log there is no such row: ${shortened(before)}`;
    if (count === 1) rows.delete(before);
    else rows.set(before, count - 1);
  }
  if (after !== null) rows.set(after, (rows.get(after) ?? 0) + 1);
  return undefined;
}

function applyToKeys(
  table: WatchedTable,
  rows: Map<string, KeyedRow>,
  { operation, before, beforeKind, after, relation }: LogChange,
): string | undefined {
  const was = before === null ? undefined : rowMembers(before);
  const members = after === null ? undefined : rowMembers(after);
  const oldKey = keyOf(table, was ?? members ?? {});
  const old = rows.get(oldKey);
  if (!old && operation !== 'INSERT') return `by the log there is no row ${oldKey}`;
  if (old && was && beforeKind === 'full' && old.relation === relation) {
    const difference = differingColumns(old.members, was);
    if (difference) return `by the log the row ${oldKey} was another one before, in ${difference}`;
  }
  if (old) rows.delete(oldKey);
  if (!members) return undefined;
  const row: Record<string, string> = { ...members };
  for (const name of table.wide) {
    const kept = old?.members[name];
    if (!(name in row) && kept !== undefined) row[name] = kept;
  }
  const newKey = keyOf(table, row);
  if (rows.has(newKey)) return `by the log there is a row ${newKey} already`;
  rows.set(newKey, { members: row, relation });
  return undefined;
}

function keyOf(table: WatchedTable, members: RowMembers): string {
  return (table.replayKey ?? []).map((name) => members[name]).join(', ');
}

async function readRows(source: pg.ClientBase, table: WatchedTable): Promise<Map<string, number>> {
  const { rows } = await source.query<{ row: string; count: string }>(
    `SELECT (to_jsonb("the row") - $1::text[])::text AS row, count(*) FROM ONLY ${table.name} AS "the row" GROUP BY 1`,
    [table.unpublished],
  );
  return new Map(rows.map(({ row, count }) => [row, Number(count)]));
}

function compareRows(
  log: ReadonlyMap<string, number>,
  source: ReadonlyMap<string, number>,
): string | undefined {
  for (const row of new Set([...log.keys(), ...source.keys()])) {
    const [here, there] = [log.get(row) ?? 0, source.get(row) ?? 0];
    if (here !== there)
      return `the row ${shortened(row)} is there ${here} times, in the source ${there} times`;
  }
  return undefined;
}

function compareKeys(
  table: WatchedTable,
  log: ReadonlyMap<string, KeyedRow>,
  source: ReadonlyMap<string, number>,
): string | undefined {
  const missing = new Set(log.keys());
  for (const row of source.keys()) {
    const members = rowMembers(row);
    const key = keyOf(table, members);
    const found = log.get(key);
    if (!found) return `the row ${key} is missing`;
    missing.delete(key);
    const difference = differingColumns(found.members, members);
    if (difference) return `the row ${key} differs in ${difference}`;
  }
  const [extra] = missing;
  return extra === undefined ? undefined : `the row ${extra} is not in the source`;
}

/** The columns in which the log's row differs from the other one, with both values. */
export function differingColumns(log: RowMembers, other: RowMembers): string | undefined {
  if (membersText(log) === membersText(other)) return undefined;
  return [...new Set([...Object.keys(log), ...Object.keys(other)])]
    .filter((name) => log[name] !== other[name])
    .map(
      (name) =>
        `${name} (${shortened(log[name] ?? 'absent')} in place of ${shortened(other[name] ?? 'absent')})`,
    )
    .join(', ');
}

export function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}

function describe({ operation, schema, table, primaryKey, xid, sequence }: LogChange): string {
  const row = primaryKey === null ? '' : ` key ${primaryKey}`;
  return `Transaction ${xid}, entry ${sequence}, ${operation} of ${schema}.${table}${row}`;
}

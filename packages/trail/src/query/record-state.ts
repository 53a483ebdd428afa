import type pg from 'pg';
import { jsonMembers } from '../facts/json-members.ts';
import type { Change } from './change.ts';
import type { ChangeFilter, TableFilter } from './change-filter.ts';
import { searchChanges } from './search-changes.ts';
import type { Order } from './sequence-range.ts';

/** A record as it was at a moment. */
export interface RecordState {
  /** `unknown`: the log has no change of it up to then, or its row is erased or in quarantine. */
  readonly state: 'present' | 'deleted' | 'unknown';
  /** JSON text of the row; of a deleted record its last one, as far as it is known. */
  readonly row: string | undefined;
  /** Columns whose values the log does not have: large ones that no change up to then touched. */
  readonly missing: readonly string[];
  /** The change that made it so. */
  readonly change: Change | undefined;
  /** Sequences of the changes before that one, and after the moment. */
  readonly previous: string | undefined;
  readonly next: string | undefined;
}

export interface RecordMoment {
  readonly log: number;
  readonly table: TableFilter;
  /** As recorded; `recordKey` makes it. */
  readonly primaryKey: string;
  /** What was committed up to and with this moment … */
  readonly at?: Date;
  /** … or recorded up to and with this sequence. Neither: now. */
  readonly sequence?: string;
}

/** Values that the WAL left out are looked for in so many earlier changes. */
const mostEarlierChanges = 500;
const budgetMs = 5_000;

/**
 * A record as it was after its last change up to a moment. A TRUNCATE of its table ends it too. Where its key was changed
 * it lives on under the new one, and the log has no more of it under the old one.
 *
 * @param client - in a transaction.
 */
export async function recordState(client: pg.ClientBase, moment: RecordMoment): Promise<RecordState> {
  const { log, table, primaryKey, at, sequence } = moment;
  const ofRecord = { tables: [table], primaryKey };
  const upTo = {
    ...(at ? { until: new Date(at.getTime() + 1) } : {}),
    ...(sequence === undefined ? {} : { before: String(BigInt(sequence) + 1n) }),
  };
  const find = finder(client, log);
  const [change, previous] = await find({ ...ofRecord, ...upTo }, 2);
  const from = change === undefined ? {} : { after: change.sequence };
  const [next] = await find({ ...ofRecord, ...from }, 1, 'oldest-first');
  const around = { change, previous: previous?.sequence, next: next?.sequence };
  const nothing = { row: undefined, missing: [], ...around };
  if (!change) return { state: 'unknown', ...nothing };
  if (change.operation === 'DELETE') return { state: 'deleted', ...nothing, row: change.before };
  if (change.after === undefined) return { state: 'unknown', ...nothing };

  const columns = await columnsOf(client, log, change);
  const row = await completed(find, ofRecord, columns, change.sequence, change.after);
  const [truncate] = await find({ tables: [table], ...upTo, ...from, operations: ['TRUNCATE'] }, 1);
  if (truncate) return { state: 'deleted', ...row, ...around, change: truncate, previous: change.sequence };
  return { state: 'present', ...row, ...around };
}

type Find = (filter: ChangeFilter, limit: number, order?: Order) => Promise<readonly Change[]>;

/** Of a record and of a table's TRUNCATEs, each of which an index finds. */
function finder(client: pg.ClientBase, log: number): Find {
  return async (filter, limit, order = 'newest-first') => {
    const search = { log, filter, limit, order, budgetMs, isInTransaction: true };
    return (await searchChanges(client, search)).changes;
  };
}

/** Puts in what the WAL left out of a row: it has the value that it had before. */
async function completed(
  find: Find,
  ofRecord: ChangeFilter,
  columns: readonly string[],
  sequence: string,
  after: string,
): Promise<{ readonly row: string; readonly missing: readonly string[] }> {
  const values = new Map(jsonMembers(after).map(({ name, value }) => [name, value]));
  let missing = columns.filter((name) => !values.has(name));
  let before = sequence;
  for (let looked = 0; missing.length > 0 && looked < mostEarlierChanges; ) {
    const earlier = await find({ ...ofRecord, before }, 50);
    for (const { after: row = '{}' } of earlier) {
      for (const { name, value } of jsonMembers(row)) if (!values.has(name)) values.set(name, value);
    }
    missing = columns.filter((name) => !values.has(name));
    const last = earlier.at(-1);
    if (!last || earlier.some(({ operation }) => operation === 'INSERT')) break;
    before = last.sequence;
    looked += earlier.length;
  }
  const members = columns.flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [`${JSON.stringify(name)}:${value}`];
  });
  return { row: `{${members.join(',')}}`, missing };
}

/** Names of the columns that the table had when it was changed, in its order. */
async function columnsOf(
  client: pg.ClientBase,
  log: number,
  { sequence }: Change,
): Promise<readonly string[]> {
  const { rows } = await client.query<{ columns: string[] }>(
    `SELECT ARRAY(SELECT member ->> 'name' FROM json_array_elements(r.document -> 'columns') member) AS columns
       FROM bemi.change_log c JOIN bemi.relations r ON r.log = c.log AND r.relation = c.relation
      WHERE c.log = $1 AND c.sequence = $2::bigint`,
    [log, sequence],
  );
  return rows[0]?.columns ?? [];
}

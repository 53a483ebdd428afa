import type { BemiContext } from '@bemi-db/context';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { createWorker } from '@bemi-db/worker';
import { decodeWal } from '../test/decoded-wal.ts';
import type { Adapter } from './client-under-test.ts';
import { type CaseBench, type ContractCase, contractCases, type RecordedChange } from './contract-cases.ts';
import { CREATE_ITEM_TABLE } from './item-table.ts';

/** What came of a case: what was recorded, by transaction; why the library can't; or how it failed. */
export type CaseOutcome =
  | { readonly recorded: readonly (readonly RecordedChange[])[] }
  | { readonly notOffered: string }
  | { readonly failed: unknown };

const IDS_OF_A_CASE = 1000;

/**
 * Runs all cases over an adapter, one after the other on one database, then lets a worker record it.
 *
 * @returns the outcome of each case, by its name.
 */
export async function recordCases(adapter: Adapter): Promise<ReadonlyMap<string, CaseOutcome>> {
  const database = await createRecordedDatabase((sql) => sql.query(CREATE_ITEM_TABLE));
  const wal = await decodeWal(database.source);
  const client = await adapter.connect(database.source.url);
  const outcomes = new Map<string, CaseOutcome>();
  try {
    for (const [index, contractCase] of contractCases.entries()) {
      const id = (number: number) => index * IDS_OF_A_CASE + number;
      const bench: CaseBench = {
        client,
        id,
        item: (number) => ({ id: id(number), name: `item ${id(number)}`, quantity: 1 }),
        messages: () => wal.takeMessages(),
      };
      const stopped = await runCase(contractCase, bench);
      if (stopped !== undefined) outcomes.set(contractCase.name, stopped);
    }
  } finally {
    await client.close();
  }
  const byCase = await recordedByCase(database);
  for (const [index, { name }] of contractCases.entries()) {
    if (!outcomes.has(name)) outcomes.set(name, { recorded: byCase.get(index) ?? [] });
  }
  return outcomes;
}

async function runCase(contractCase: ContractCase, bench: CaseBench): Promise<CaseOutcome | undefined> {
  try {
    const reason = await contractCase.notOffered?.(bench.client);
    if (reason !== undefined) return reason;
    await contractCase.run(bench);
    return undefined;
  } catch (failed) {
    return { failed };
  }
}

interface Row {
  readonly id: number;
  readonly operation: string;
  readonly table: string;
  readonly context: BemiContext | null;
  readonly transaction: string;
}

async function recordedByCase({
  source,
  audit,
  slot,
  trail,
}: RecordedDatabase): Promise<ReadonlyMap<number, RecordedChange[][]>> {
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  const { rows } = await trail.query<Row>(
    `SELECT primary_key::integer AS id, operation, "table", context, transaction_id AS transaction
       FROM bemi.changes ORDER BY changes.id`,
  );
  const byCase = new Map<number, RecordedChange[][]>();
  let last: Row | undefined;
  for (const row of rows) {
    const number = Math.floor(row.id / IDS_OF_A_CASE);
    const transactions = byCase.get(number) ?? [];
    byCase.set(number, transactions);
    if (row.transaction !== last?.transaction) transactions.push([]);
    const table = row.table === 'item' ? '' : ` of ${row.table}`;
    transactions.at(-1)?.push([`${row.operation} ${row.id % IDS_OF_A_CASE}${table}`, row.context]);
    last = row;
  }
  return byCase;
}

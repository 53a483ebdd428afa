import type pg from 'pg';
import { type ComparableChange, changeDigest } from './change-digest.ts';
import { type LogChange, otherTransactionWith, readLogTransaction } from './log-change.ts';
import { rowMembers } from './row-members.ts';
import { differingColumns, shortened } from './table-replay.ts';
import {
  otherSourceTransactionWith,
  readWitnessedChanges,
  type WitnessedChange,
} from './witnessed-change.ts';

export interface DifferingTransaction {
  readonly xid: string;
  /** Sequence of its first entry. */
  readonly sequence: string;
  /** Digests of the changes that the log has more often than the source, and (below zero) less often. */
  readonly digests: ReadonlyMap<string, number>;
}

/** Says in words how a transaction of the log differs from the source's. */
export async function explainDifference(
  source: pg.ClientBase,
  audit: pg.ClientBase,
  log: number,
  transaction: DifferingTransaction,
): Promise<string> {
  const { xid, sequence, digests } = transaction;
  const recorded = await readLogTransaction(audit, log, sequence);
  const witnessed: WitnessedChange[] = [];
  for await (const page of readWitnessedChanges(source, [xid])) witnessed.push(...page);

  const extra = recorded.filter((change) => (digests.get(changeDigest(change)) ?? 0) > 0);
  const missing = witnessed.filter((change) => (digests.get(changeDigest(change)) ?? 0) < 0);
  const counts = `the log has ${recorded.length} changes, the source ${witnessed.length}`;
  const about = `Transaction ${xid} (from entry ${sequence} on; ${counts})`;
  const [first] = missing;
  if (first) {
    const counterpart =
      extra.find((change) => isSameKey(change, first)) ?? extra.find((change) => isSameRow(change, first));
    if (counterpart) return `${about}: ${name(first)} differs in ${fields(counterpart, first)}`;
    const elsewhere = await otherTransactionWith(audit, log, first);
    const where = elsewhere ? `; transaction ${elsewhere} of the log has it` : '';
    return `${about}: ${name(first)} is not in the log${where}`;
  }
  const surplus = extra[0]!;
  const elsewhere = await otherSourceTransactionWith(source, surplus);
  const where = elsewhere ? `; the source did that in transaction ${elsewhere}` : '';
  return `${about}: ${name(surplus)}, entry ${surplus.sequence}, is not in the source${where}`;
}

function isSameKey(recorded: LogChange, witnessed: WitnessedChange): boolean {
  return (
    recorded.oid === witnessed.oid &&
    recorded.operation === witnessed.operation &&
    recorded.primaryKey === witnessed.primaryKey &&
    recorded.primaryKey !== null
  );
}

function isSameRow(recorded: LogChange, witnessed: WitnessedChange): boolean {
  return (
    recorded.oid === witnessed.oid &&
    recorded.operation === witnessed.operation &&
    (['before', 'after'] as const).some(
      (side) => recorded[side] !== null && recorded[side] === witnessed[side],
    )
  );
}

function fields(recorded: LogChange, witnessed: WitnessedChange): string {
  const rows = (['before', 'after'] as const).map((side) => {
    const [ours, theirs] = [recorded[side], witnessed[side]];
    if (ours === theirs) return undefined;
    if (ours === null || theirs === null)
      return `${side} (${shortened(ours ?? 'none')} in place of ${shortened(theirs ?? 'none')})`;
    return `${side}: ${differingColumns(rowMembers(ours), rowMembers(theirs))}`;
  });
  const others = (['schema', 'table', 'beforeKind', 'primaryKey', 'context'] as const).map((field) =>
    recorded[field] === witnessed[field]
      ? undefined
      : `${field} (${recorded[field]} in place of ${witnessed[field]})`,
  );
  return [...rows, ...others].filter((part) => part !== undefined).join('; ');
}

function name({ operation, schema, table, primaryKey, before, after }: ComparableChange): string {
  const row = primaryKey === null ? shortened(after ?? before ?? '') : `key ${primaryKey}`;
  return `${operation} of ${schema}.${table} ${row}`.trim();
}

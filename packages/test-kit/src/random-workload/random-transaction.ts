import type pg from 'pg';
import { alterTable } from './altered-tables.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { WorkloadCounts } from './workload-counts.ts';
import { isConnectionError, isExpectedError } from './workload-error.ts';
import type { WorkloadSession } from './workload-session.ts';
import type { WorkloadStatement } from './workload-statement.ts';

export interface TransactionOptions {
  readonly session: WorkloadSession;
  readonly random: SeededRandom;
  readonly counts: WorkloadCounts;
  /** Those that the server knows. */
  readonly statements: readonly WorkloadStatement[];
  /** Name for a transaction that is prepared; none where the server does not prepare any. */
  readonly gid: string | undefined;
  /** It is one that alters a table. */
  readonly isAlteration: boolean;
}

/** The end of a transaction whose connection broke while it was committed or prepared. */
export interface UnknownOutcome {
  /** As `txid_current()` gave it; none when it had written nothing. */
  readonly xid: string | undefined;
}

const beginnings = [
  'BEGIN',
  'BEGIN',
  'BEGIN',
  'BEGIN ISOLATION LEVEL REPEATABLE READ',
  'BEGIN ISOLATION LEVEL SERIALIZABLE',
];

/**
 * One transaction: some statements, savepoints that are rolled back or released, contexts; and one of all the ways
 * to end. A statement that fails is undone to a savepoint where there is one, else with all the others.
 *
 * @returns what is to be asked of the source, where the connection broke at the end.
 */
export async function runTransaction(options: TransactionOptions): Promise<UnknownOutcome | undefined> {
  const { session, random, counts, isAlteration } = options;
  const client = await session.client();
  let isEnding = false;
  let xid: string | undefined;
  try {
    if (!isAlteration && random.chance(0.15)) {
      isEnding = true;
      await runStatement(client, options);
      counts.committed++;
      return undefined;
    }
    // With an older snapshot an alteration would not see all the rows that it has to write again.
    await client.query(isAlteration ? 'BEGIN' : random.pick(beginnings));
    if (!(await runSteps(client, options))) {
      await client.query('ROLLBACK');
      counts.rolledBack++;
      return undefined;
    }
    const end = random.below(100);
    if (end < 8) {
      await client.query('ROLLBACK');
      counts.rolledBack++;
      return undefined;
    }
    if (end < 9) {
      await session.drop();
      counts.disconnects++;
      counts.rolledBack++;
      return undefined;
    }
    const { rows } = await client.query<{ xid: string | null }>('SELECT txid_current_if_assigned() AS xid');
    xid = rows[0]!.xid ?? undefined;
    isEnding = true;
    if (options.gid !== undefined && end < (isAlteration ? 12 : 22)) {
      await client.query(`PREPARE TRANSACTION '${options.gid}'`);
      counts.prepared++;
    } else {
      await client.query('COMMIT');
      counts.committed++;
      if (isAlteration) counts.alterations++;
    }
    return undefined;
  } catch (error) {
    if (isConnectionError(error)) {
      await session.drop();
      if (isEnding) {
        counts.unknown++;
        return { xid };
      }
      counts.rolledBack++;
      return undefined;
    }
    if (!isExpectedError(error)) throw error;
    // A deferred constraint fails the COMMIT itself; a statement outside of a transaction has left nothing open.
    await client.query('ROLLBACK').catch(() => session.drop());
    counts.failedStatements++;
    counts.rolledBack++;
    return undefined;
  }
}

/** Returns whether there is something to commit: not after a failure that no savepoint catches. */
async function runSteps(client: pg.Client, options: TransactionOptions): Promise<boolean> {
  const { random, counts } = options;
  const savepoints: string[] = [];
  const count = random.between(1, 7);
  const altersAt = options.isAlteration ? random.below(count) : -1;
  for (let step = 0; step < count; step++) {
    try {
      if (step === altersAt) await alterTable(client, random);
      else await runStep(client, options, savepoints);
    } catch (error) {
      if (isConnectionError(error) || !isExpectedError(error)) throw error;
      counts.failedStatements++;
      if (savepoints.length === 0) return false;
      await rollbackTo(client, random, savepoints, counts);
    }
  }
  return true;
}

async function runStep(client: pg.Client, options: TransactionOptions, savepoints: string[]): Promise<void> {
  const { random, counts } = options;
  const kind = random.below(100);
  if (kind < 62) {
    await runStatement(client, options);
  } else if (kind < 76) {
    // The same name again hides the savepoint before it.
    const name = random.chance(0.2) ? 's' : `s${savepoints.length}`;
    await client.query(`SAVEPOINT ${name}`);
    savepoints.push(name);
  } else if (kind < 83) {
    if (savepoints.length > 0) await rollbackTo(client, random, savepoints, counts);
  } else if (kind < 88) {
    const released = savepoints.at(-1);
    if (released !== undefined) {
      await client.query(`RELEASE SAVEPOINT ${released}`);
      savepoints.pop();
    }
  } else if (kind < 97) {
    const content = JSON.stringify({
      userId: random.below(5),
      reason: random.pick(['typo', 'näher', '🦊', null]),
    });
    await client.query('SELECT witness.send_context($1)', [content]);
  } else {
    // Neither of them is a context.
    await client.query(`SELECT pg_logical_emit_message(false, '_bemi', '{"is":"ignored"}'),
                               pg_logical_emit_message(true, 'another', '{"is":"ignored"}')`);
  }
}

async function rollbackTo(
  client: pg.Client,
  random: SeededRandom,
  savepoints: string[],
  counts: WorkloadCounts,
): Promise<void> {
  const names = new Set(savepoints);
  // Of several with one name the last is meant.
  const name = random.pick([...names]);
  await client.query(`ROLLBACK TO SAVEPOINT ${name}`);
  savepoints.length = savepoints.lastIndexOf(name) + 1;
  counts.savepointRollbacks++;
}

async function runStatement(
  client: pg.Client,
  { random, counts, statements }: TransactionOptions,
): Promise<void> {
  const statement = random.pickWeighted(statements);
  await statement.run(client, random);
  counts.statements[statement.name] = (counts.statements[statement.name] ?? 0) + 1;
}

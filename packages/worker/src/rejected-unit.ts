import type { AppendUnit } from '@bemi-db/trail/append/append-unit';
import { findRejectedRows, rejectionState } from '@bemi-db/trail/append/rejected-rows';
import type pg from 'pg';
import { ProblemError } from './problem.ts';

export interface FailedUnit {
  /** What could not be written, where that is known. */
  readonly unit: AppendUnit | undefined;
  /** The writer's. */
  readonly client: pg.Client;
  /** SQLSTATEs by digest. What is found is added. */
  readonly rejected: Map<string, string>;
}

/**
 * Of an error that rows are to blame for: which. They come again with the next session, and go into quarantine.
 *
 * @returns what to fail with.
 */
export async function findRejected(error: unknown, { unit, client, rejected }: FailedUnit): Promise<unknown> {
  if (!unit || rejectionState(error) === undefined) return error;
  const found = await findRejectedRows(client, unit);
  if (!found.some(({ digest }) => !rejected.has(digest))) return error;
  for (const { digest, sqlState } of found) rejected.set(digest, sqlState);
  const states = [...new Set(found.map(({ sqlState }) => sqlState))].join(', ');
  return new ProblemError(
    {
      code: 'rows-rejected',
      message: `The audit database does not take ${found.length} of the rows that came (SQLSTATE ${states})`,
      fix: 'Nothing to do: they are kept in quarantine as they came. See the log of the audit server for why.',
      kind: 'retry',
    },
    error,
  );
}

/** Why something is in quarantine that the audit database would not take. */
export function rejectedReason(sqlState: string | undefined): string | undefined {
  return sqlState && `rejected-${sqlState}`;
}

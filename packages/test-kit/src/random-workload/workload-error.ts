import pg from 'pg';

/** SQLSTATEs that statements of the workload may end with, beside those of the classes below. */
const expected = new Set([
  '0A000', // TRUNCATE of a table that others refer to
  '21000', // one row twice in an ON CONFLICT or a MERGE
  '22012', // division by zero
  '22P02', // a text in a COPY that is no number
  '25P02', // a statement after one that failed, in the same query
  '27000', // a row that a trigger of the same statement has changed
  '42703', // a column that was renamed or dropped meanwhile
  '42704', // a prepared transaction that another session has ended
  '42804', // a default that does not fit a column's new type
  '42P01', // a table that was renamed meanwhile
  '42P07', // renamed to the name that it has
  '55000', // no replica identity; a prepared transaction that another session ends
  '55006', // a table with pending trigger events
  '55P03', // lock_timeout
]);
const expectedClasses = new Set([
  '08', // connection
  '23', // integrity constraints
  '40', // deadlocks, serialisation
  '53', // out of disk, memory, connections, prepared transactions
  '57', // shutdown, restart, timeouts
  '58', // the disk
]);

/** What a statement of the workload may fail with. Anything else is a mistake in the workload. */
export function isExpectedError(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return isConnectionError(error);
  const code = error.code ?? '';
  return expected.has(code) || expectedClasses.has(code.slice(0, 2));
}

/** Whether the connection is gone, so that nobody knows what became of the statement. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    return error.severity === 'FATAL' || error.severity === 'PANIC' || error.code?.startsWith('08') === true;
  }
  if (!(error instanceof Error)) return false;
  // Of the driver's own errors only those of the system have a code.
  const isSystemError = 'code' in error && typeof error.code === 'string';
  return isSystemError || /connection|not queryable|closed/i.test(error.message);
}

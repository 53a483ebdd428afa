/**
 * The SQLSTATE of an error that a server reported, or `undefined` for every other error. It tells by the
 * fields of PostgreSQL's ErrorResponse, so that any driver's error will do (and so that Node's `EPIPE`, which
 * looks like a SQLSTATE, isn't taken for one).
 *
 * @see https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
export function sqlStateOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('severity' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The name of the server's function that raised the error: unlike the message, it is never translated. */
export function serverRoutineOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('routine' in error)) return undefined;
  return typeof error.routine === 'string' ? error.routine : undefined;
}

/**
 * Whether messages can be sent on a connection. A message that fails would take the application's statement with
 * it, so the server is asked once, before the first one: in an exchange of its own ahead of the statement, unseen
 * by the driver.
 */
import { bindAndExecute, bytesOf, parseMessage, SYNC } from './frontend-messages.ts';
import type { BackendMessage, PgConnection } from './pg-connection.ts';
import { warnOnce } from './warning.ts';

/** What the server answered. */
export interface EmitPermission {
  /** Undefined if asking failed: another time, then. */
  readonly granted?: boolean;
  /** The error of somebody who meant to stop the statement, or of a server that stops. */
  readonly cancelled?: BackendMessage;
  /** Behind a pooler, it may have another name than the client asked for. */
  readonly database?: string | null | undefined;
  readonly processId?: string | null | undefined;
}

/** Class 57 of SQLSTATE. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const OPERATOR_INTERVENTION = /^57/;

/** Whether an error is none of the statement's. */
export function isCancelled({ code }: BackendMessage): boolean {
  return OPERATOR_INTERVENTION.test(code ?? '');
}

/**
 * For any version: 17 gave the function a fourth argument. 11 is pg_catalog and 25 is text, everywhere. A standby can't
 * write, hence not emit.
 */
const QUESTION = `
SELECT NOT @pg_is_in_recovery(), @has_function_privilege(oid, 'EXECUTE'),
 @format('GRANT EXECUTE ON FUNCTION %s TO %I', oid::@regprocedure, current_user),
 @current_database(), @pg_backend_pid()
 FROM @pg_proc
 WHERE proname = $1 AND pronamespace = 11 AND proargtypes[2] = 25`.replaceAll('@', 'pg_catalog.');

/** Asks for one row, that {@link permissionOf} reads. */
export const askPermission = (): Buffer =>
  bytesOf(parseMessage('', QUESTION) + bindAndExecute('pg_logical_emit_message') + SYNC);

/**
 * @param connection - idle: nothing under way.
 * @param send - past whatever is installed on the connection.
 * @param hear - called with the answer, and the transaction status that ReadyForQuery told (I, T or E).
 */
export function askEmitPermission(
  connection: PgConnection,
  send: (bytes: Buffer) => void,
  hear: (permission: EmitPermission, status: string | undefined) => void,
): void {
  let answer: EmitPermission = { granted: false };
  const { emit } = connection;

  connection.emit = (event, given) => {
    const message = given as BackendMessage;
    if (event === 'dataRow') answer = permissionOf(message.fields ?? []);
    else if (event === 'errorMessage') answer = isCancelled(message) ? { cancelled: message } : {};
    else if (event === 'readyForQuery') {
      connection.emit = emit;
      hear(answer, message.status);
    } else if (!event.endsWith('Complete')) return emit.call(connection, event, given);
    return true;
  };
  send(askPermission());
}

/** Warns where a GRANT would help. */
export function permissionOf([primary, executable, fix, database, processId]: readonly (
  | string
  | null
)[]): EmitPermission {
  if (executable === 'f') {
    warnOnce(
      'BEMI_CONTEXT_NOT_CARRIED',
      'Changes have no context: this role may not write messages to the WAL.',
      `Fix: ${fix};`,
    );
  }
  return { granted: primary === 't' && executable === 't', database, processId };
}

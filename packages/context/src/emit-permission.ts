/**
 * Whether messages can be sent on a connection. A message that fails would take the application's statement with
 * it, so the server is asked once, before the first one: in an exchange of its own ahead of the statement, unseen
 * by the driver.
 */
import { bindAndExecute, bytesOf, parseMessage, SYNC } from './frontend-messages.ts';
import type { BackendMessage, PgConnection } from './pg-connection.ts';

/**
 * The answer for a connection. `unknown` if asking failed: another time, then. With `cancelled`, somebody meant to
 * stop the statement, or the server stops.
 */
export type EmitPermission = 'granted' | 'refused' | 'unknown' | { readonly cancelled: BackendMessage };

/** For any version: 17 gave the function a fourth argument. A standby can't write, hence not emit. */
const QUESTION = `
  SELECT NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.has_function_privilege(oid, 'EXECUTE'),
         pg_catalog.has_function_privilege(oid, 'EXECUTE'),
         pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO %I', oid::pg_catalog.regprocedure, current_user),
         pg_catalog.current_database(), pg_catalog.pg_backend_pid()
    FROM pg_catalog.pg_proc
   WHERE proname = 'pg_logical_emit_message' AND pronamespace = 'pg_catalog'::pg_catalog.regnamespace
     AND proargtypes[2] = 'pg_catalog.text'::pg_catalog.regtype`;

/** What the server says of itself: undefined if asking failed. */
export interface Server {
  /** Behind a pooler, it may have another name than the client asked for. */
  readonly database: string | undefined;
  readonly processId: string | undefined;
}

/**
 * @param connection - idle: nothing under way.
 * @param send - past whatever is installed on the connection.
 * @param hear - called with the answer, and the transaction status that ReadyForQuery told (I, T or E).
 */
export function askEmitPermission(
  connection: PgConnection,
  send: (bytes: Buffer) => void,
  hear: (permission: EmitPermission, status: string | undefined, server: Server) => void,
): void {
  let permission: EmitPermission = 'refused';
  let server: Server = { database: undefined, processId: undefined };
  const { emit } = connection;

  connection.emit = (event, given) => {
    const message = given as BackendMessage;
    switch (event) {
      case 'parseComplete':
      case 'bindComplete':
      case 'commandComplete':
        return true;
      case 'dataRow': {
        const [allowed, executable, fix, database, processId] = message.fields ?? [];
        if (executable === 'f') warnOfMissingPrivilege(fix ?? '');
        permission = allowed === 't' ? 'granted' : 'refused';
        server = { database: database ?? undefined, processId: processId ?? undefined };
        return true;
      }
      case 'errorMessage':
        permission = afterError(message);
        return true;
      case 'readyForQuery':
        connection.emit = emit;
        hear(permission, message.status, server);
        return true;
      default:
        return emit.call(connection, event, given);
    }
  };
  send(bytesOf(parseMessage('', QUESTION) + bindAndExecute('') + SYNC));
}

/** Class 57 is operator intervention. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
function afterError(error: BackendMessage): EmitPermission {
  return error.code?.startsWith('57') ? { cancelled: error } : 'unknown';
}

let warned = false;

function warnOfMissingPrivilege(fix: string): void {
  if (warned) return;
  warned = true;
  process.emitWarning('Changes are recorded without context: this role may not write messages to the WAL.', {
    code: 'BEMI_CONTEXT_NOT_CARRIED',
    detail: `Fix: ${fix};`,
  });
}

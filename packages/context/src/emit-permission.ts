/**
 * Whether messages can be sent on a connection. A message that fails would take the application's statement with
 * it, so the server is asked once, before the first one: in an exchange of its own ahead of the statement, unseen
 * by the driver.
 */
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
         pg_catalog.current_database()
    FROM pg_catalog.pg_proc
   WHERE proname = 'pg_logical_emit_message' AND pronamespace = 'pg_catalog'::pg_catalog.regnamespace
     AND proargtypes[2] = 'pg_catalog.text'::pg_catalog.regtype`;

/**
 * @param connection - idle: nothing under way.
 * @param raw - the connection's own functions, past whatever is installed on it.
 * @param hear - called with the answer, the transaction status that ReadyForQuery told (I, T or E), and the
 *   database: behind a pooler, it may have another name than the client asked for.
 */
export function askEmitPermission(
  connection: PgConnection,
  raw: Pick<PgConnection, 'parse' | 'bind' | 'execute' | 'sync' | 'emit'>,
  hear: (permission: EmitPermission, status: string | undefined, database: string | undefined) => void,
): void {
  let permission: EmitPermission = 'refused';
  let database: string | undefined;

  connection.emit = (event, message) => {
    switch (event) {
      case 'parseComplete':
      case 'bindComplete':
      case 'commandComplete':
        return true;
      case 'dataRow':
        permission = answerOf((message as BackendMessage).fields ?? []);
        database = (message as BackendMessage).fields?.[3] ?? undefined;
        return true;
      case 'errorMessage':
        permission = afterError(message as BackendMessage);
        return true;
      case 'readyForQuery':
        connection.emit = raw.emit;
        hear(permission, (message as BackendMessage).status, database);
        return true;
      default:
        return raw.emit.call(connection, event, message);
    }
  };
  raw.parse.call(connection, { text: QUESTION, name: '' });
  raw.bind.call(connection, { statement: '', values: [] });
  raw.execute.call(connection, { portal: '', rows: 0 });
  raw.sync.call(connection);
}

function answerOf([allowed, executable, fix]: readonly (string | null)[]): EmitPermission {
  if (executable === 'f') warnOfMissingPrivilege(fix ?? '');
  return allowed === 't' ? 'granted' : 'refused';
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

import type { ConnectionAttempt, ConnectionExplanation } from './connection-attempt.ts';
import { ConnectionStringError, describeTarget } from './connection-string.ts';
import { explainNetworkError, tlsFailure } from './network-errors.ts';
import { PasswordError } from './password-command.ts';
import { explainServerError } from './server-errors.ts';
import { sqlStateOf } from './sql-state.ts';

/**
 * Explains why a connection, or the work on it, failed. Whatever a server can cure is to be tried again, also
 * a refused login and a missing slot: somebody may be putting it right just now. What remains is configuration
 * on this side, and WAL that is gone.
 */
export function explainConnectionError(error: unknown, attempt: ConnectionAttempt): ConnectionExplanation {
  if (error instanceof ConnectionStringError) {
    return { code: error.code, message: error.message, fix: error.fix, retry: false };
  }
  if (error instanceof PasswordError) {
    return { code: 'password-source', message: error.message, fix: error.fix, retry: true };
  }
  const state = sqlStateOf(error);
  if (state !== undefined) return explainServerError(error, state, attempt);
  const network = explainNetworkError(error, attempt);
  if (network) return network;
  // The driver throws plain errors without a code when it is not answered, or not as it expected.
  const isDrivers = error instanceof Error && error.constructor === Error && !('code' in error);
  return isDrivers ? explainSilence(error, attempt) : unexpected(error, attempt);
}

function explainSilence(error: Error, attempt: ConnectionAttempt): ConnectionExplanation {
  const { database, phase, target } = attempt;
  const where = describeTarget(target);
  if (phase !== 'connect' && phase !== 'connect-replication') {
    return {
      code: 'interrupted',
      message: `The connection to the ${database} database was lost (${where})`,
      fix: 'Nothing to do, unless it stays so: then see the log of the server and the network.',
      retry: true,
    };
  }
  if (target.usesTls) return tlsFailure(`${database} database (${where}): ${error.message}`, target);
  const password = target.hasPassword
    ? ''
    : `${target.setting} has no password: add it if the server asks for one. `;
  return {
    code: 'no-answer',
    message: `The ${database} database did not complete the connection (${where}): ${error.message}`,
    fix: `${password}See that it is a PostgreSQL server that listens there, and that no firewall is in between.`,
    retry: true,
  };
}

/** A defect of ours, or of a library: nothing that waiting cures. Its message may quote anything. */
function unexpected(error: unknown, { database, phase, target }: ConnectionAttempt): ConnectionExplanation {
  const name = error instanceof Error ? error.name : typeof error;
  return {
    code: 'unexpected',
    message: `Unexpected ${name} at the ${database} database (${phase}, ${describeTarget(target)})`,
    fix: 'Please report it, with the stack trace.',
    retry: false,
  };
}

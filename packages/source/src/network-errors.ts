import type { ConnectionAttempt, ConnectionExplanation } from './connection-attempt.ts';
import { type ConnectionTarget, describeTarget } from './connection-string.ts';
import { plainText, providerOfHost } from './providers/recognise.ts';

// https://nodejs.org/api/errors.html#common-system-errors
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens on that port',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EHOSTDOWN: 'the host is down',
  EADDRNOTAVAIL: 'the address cannot be used from here',
  ETIMEDOUT: 'it did not answer in time',
  ECONNRESET: 'it closed the connection',
  ECONNABORTED: 'the connection was aborted',
  EPIPE: 'it closed the connection',
};

// Of a Unix socket, these say that no server made one there.
const socketCauses: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such socket',
  EACCES: 'this process may not use the socket',
};

/** Explains errors of the network and of TLS by Node's codes; `undefined` for any other. */
export function explainNetworkError(
  error: unknown,
  { database, target }: ConnectionAttempt,
): ConnectionExplanation | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  const cause =
    causes[code] ??
    (target.host.startsWith('/') ? socketCauses[code] : undefined) ??
    (isSystemCall(error) ? 'the operating system refuses the connection' : undefined);
  const where = describeTarget(target);
  if (cause !== undefined) {
    return {
      code: 'unreachable',
      message: `The ${database} database cannot be reached: ${cause} (${where}, ${code})`,
      fix: reachabilityFix(target),
      retry: true,
    };
  }
  if (isTls(code)) return tlsFailure(`${database} database (${where}): ${code}`, target);
  return undefined;
}

/** @param what - which connection, and what is known of the failure. */
export function tlsFailure(what: string, target: ConnectionTarget): ConnectionExplanation {
  const provider = providerOfHost(target.host);
  return {
    code: 'tls',
    message: `No encrypted connection to the ${what}`,
    fix:
      `If its certificate is of your own authority, name that by sslrootcert=FILE in ${target.setting}. ` +
      'sslmode=require encrypts without verifying the certificate, verify-full also compares the host name. If ' +
      'the server has no TLS: turn it on there (ssl = on), or use sslmode=disable on a network that you trust.' +
      (provider ? `\n${provider.title}: ${plainText(provider.tls.note)}` : ''),
    // The server's certificate may be renewed, and its TLS turned on.
    retry: true,
  };
}

/** Node's code; of a name with several addresses, that of the first one that failed. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error instanceof AggregateError ? codeOf(error.errors[0]) : undefined;
}

function isSystemCall(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall !== 'open';
}

// OpenSSL's verification results, and what Node reports of the handshake itself:
// https://nodejs.org/api/tls.html#x509-certificate-error-codes
function isTls(code: string): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH|ERROR_IN_C|EPROTO$)/.test(
    code,
  );
}

function reachabilityFix(target: ConnectionTarget): string {
  const check = `Check host and port in ${target.setting}, that the server runs, and that listen_addresses includes this way in.`;
  const provider = providerOfHost(target.host);
  if (provider) {
    return `Check host and port in ${target.setting}, and that the server runs. ${plainText(provider.unreachable)}`;
  }
  return /^(localhost|127\.|::1)/.test(target.host)
    ? `${check} Inside a container, localhost is the container itself: use the service's name.`
    : check;
}

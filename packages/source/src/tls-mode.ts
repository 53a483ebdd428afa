import pg from 'pg';
import type { ParsedConnection } from './connection-string.ts';

/** How a connection protects itself, in the words of `sslmode`. `require` encrypts, and takes any certificate. */
export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

/** Asks the driver itself what it would do. Opens nothing. */
export function tlsModeOf({ config }: ParsedConnection): TlsMode {
  const { ssl } = new pg.Client(config) as unknown as { readonly ssl: boolean | TlsOptions | undefined };
  if (!ssl) return 'disable';
  if (ssl === true) return 'verify-full';
  if (ssl.rejectUnauthorized === false) return 'require';
  return ssl.checkServerIdentity === undefined ? 'verify-full' : 'verify-ca';
}

interface TlsOptions {
  readonly rejectUnauthorized?: boolean;
  readonly checkServerIdentity?: unknown;
}

/** Whether what is sent to a host stays on this machine: a socket's folder, or an address of the loopback. */
export function isOnThisMachine(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

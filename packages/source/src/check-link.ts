import { type Finding, ok, problem, unknown } from './finding.ts';
import type { LinkEncryption } from './inspect-operation.ts';
import { plainText, providerOfHost } from './providers/recognise.ts';
import { isOnThisMachine, type TlsMode } from './tls-mode.ts';

export interface LinkFacts {
  /** Of the finding: `source-link` or `audit-link`. */
  readonly id: string;
  /** The variable that holds the URL. */
  readonly setting: string;
  readonly host: string;
  readonly mode: TlsMode;
  /** As the server sees this connection. */
  readonly link: LinkEncryption | undefined;
  /** As it sees that of the worker, where there is one and it shows. */
  readonly workerLink?: LinkEncryption | undefined;
}

/** Whether what goes over the network is encrypted, and goes to nobody else. */
export function checkLink({ id, setting, host, mode, link, workerLink }: LinkFacts): Finding {
  if (isOnThisMachine(host)) return ok(id, 'The link stays on this machine', host);
  if (!link) return unknown(id, 'Whether the link is encrypted is not known', 'pg_stat_ssl does not show it');
  const provider = providerOfHost(host);
  const fix = provider
    ? `Add sslmode=verify-full to ${setting}. ${provider.title}: ${plainText(provider.tls.note)}`
    : `Add sslmode=verify-full&sslrootcert=FILE to ${setting}, with the file of the authority that signed the server's certificate.`;
  const version = link.version ?? 'TLS';
  if (!link.isEncrypted) {
    const advice =
      `${fix}\nWhere the server has no TLS, put its certificate and key into its data directory, as server.crt and server.key ` +
      `(readable by its own user alone), and run as a superuser:\nALTER SYSTEM SET ssl = on;\nSELECT pg_reload_conf();`;
    return problem(
      'warning',
      id,
      'The link is not encrypted',
      `${host}, sslmode is not set or disable`,
      advice,
    );
  }
  if (workerLink?.isEncrypted === false) {
    return problem(
      'warning',
      id,
      'The worker’s link is not encrypted',
      `pg_stat_ssl of its backend, to ${host}`,
      fix,
    );
  }
  if (mode === 'verify-full')
    return ok(id, 'The link is encrypted, and the server is verified', `${version}, verify-full`);
  return problem(
    'warning',
    id,
    'The link is encrypted, and anybody could be at its other end',
    `${version}, ${mode === 'verify-ca' ? 'verify-ca: the name in the certificate is not compared' : 'the certificate is not checked'}`,
    fix,
  );
}

import { userInfo } from 'node:os';
import pg from 'pg';

/** Where a connection goes, without anything secret: safe in logs, errors and metrics. */
export interface ConnectionTarget {
  /** What the operator set the URL with, such as `BEMI_DATABASE_URL`: named in errors and fixes. */
  readonly setting: string;
  readonly role: string;
  /** A host name, an IP address, or the folder of a Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly hasPassword: boolean;
  /** Whether the connection insists on TLS. */
  readonly usesTls: boolean;
}

export interface ParsedConnection {
  /** For `new pg.Client({ ...config, … })`. Holds the password: never log it. */
  readonly config: pg.ClientConfig;
  readonly target: ConnectionTarget;
}

/** A connection URL that cannot be used, whatever the server does. Its message never holds the URL. */
export class ConnectionStringError extends Error {
  override readonly name = 'ConnectionStringError';
  readonly code = 'connection-string';
  readonly setting: string;
  readonly fix: string;

  constructor(setting: string, problem: string, fix: string, options?: ErrorOptions) {
    super(`${setting} ${problem}`, options);
    this.setting = setting;
    this.fix = fix;
  }
}

const form = 'postgres://role:password@host:5432/database';
const encodingFix =
  'In a URL, special characters of the password are percent-encoded: @ is %40, : is %3A, / is %2F, ? is %3F, ' +
  `# is %23, % is %25. The form is ${form}`;

// Other clients' parameters. `replication` would turn every connection into a walsender, which runs no SQL
// beyond the simple protocol; `schema` is Prisma's.
const droppedParameters = ['replication', 'schema'];

// What sslmode means to libpq. `allow` asks for a second attempt over TLS, which `pg` doesn't make.
const libpqModes = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'];
const sslModes = [...libpqModes, 'no-verify'];

/**
 * Reads a connection URL as the guides write it: `?replication=database` and `?schema=…` are tolerated and
 * dropped, everything else is kept. `sslmode` means what it means to libpq (`require` encrypts without
 * verifying the certificate unless `sslrootcert` is given), except that `prefer` never falls back to an
 * unencrypted connection. What the URL leaves out comes from PGUSER, PGHOST and so on, as with psql.
 *
 * @param setting - what the URL was set with, for messages: `BEMI_DATABASE_URL`, `--admin-url`.
 * @throws {@link ConnectionStringError} for what is not a PostgreSQL URL, or names unreadable certificate files.
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
 *
 * @example
 * const { config, target } = parseConnectionString(process.env.BEMI_DATABASE_URL, 'BEMI_DATABASE_URL');
 * const client = new pg.Client({ ...config, application_name: 'bemi' });
 */
export function parseConnectionString(text: string, setting: string): ParsedConnection {
  const url = parseUrl(text.trim(), setting);
  for (const name of droppedParameters) url.searchParams.delete(name);
  const sslMode = url.searchParams.get('sslmode');
  if (sslMode !== null && !sslModes.includes(sslMode)) {
    throw new ConnectionStringError(
      setting,
      'has an sslmode that is not supported',
      `Use sslmode=${sslModes.join(', sslmode=')}.`,
    );
  }
  if (sslMode !== null && libpqModes.includes(sslMode) && !url.searchParams.has('uselibpqcompat')) {
    // Without this, `pg` takes `require` for `verify-full`, and every self-signed server is refused.
    url.searchParams.set('uselibpqcompat', 'true');
  }
  if (url.username === '' && !url.searchParams.has('user') && !process.env['PGUSER']) {
    url.username = systemUser();
  }
  if (url.pathname === '') url.pathname = '/';
  const config = { connectionString: url.href.replace(emptyHost, '') };
  return { config, target: targetOf(config, setting) };
}

/** `role@host:port/database`: names a connection in logs and errors, without secrets. */
export function describeTarget(target: ConnectionTarget): string {
  const host = target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${target.role}@${host}:${target.port}/${target.database}`;
}

// WHATWG URLs need a host; PostgreSQL's (`postgres:///app?host=/run/postgresql`) do not.
const emptyHost = 'empty-host.invalid';

function parseUrl(text: string, setting: string): URL {
  if (text === '') throw new ConnectionStringError(setting, 'is empty', `Set it to ${form}`);
  if (!/^postgres(ql)?:\/\//i.test(text)) {
    throw new ConnectionStringError(
      setting,
      'is not a PostgreSQL URL: it does not begin with postgres:// or postgresql://',
      `Set it to ${form}`,
    );
  }
  const withHost = text.replace(/^(postgres(?:ql)?:\/\/(?:[^/?#]*@)?)(?=[/?]|$)/i, `$1${emptyHost}`);
  let url: URL;
  try {
    url = new URL(withHost);
  } catch {
    // The cause is left out on purpose: Node's error carries the whole URL.
    throw new ConnectionStringError(setting, 'is not a valid URL', encodingFix);
  }
  // An unencoded character in the password makes its rest part of the path, the query or the fragment. Such
  // a URL often parses; going on would show a piece of the password as the database's name.
  const isTorn = url.hash !== '' || url.pathname.slice(1).includes('/') || url.pathname.includes('@');
  if (isTorn || (url.username === '' && url.search.includes('@'))) {
    throw new ConnectionStringError(setting, 'is not a valid URL', encodingFix);
  }
  return url;
}

/** Asks `pg` itself where it would connect to, so that what is logged is what happens. Opens nothing. */
function targetOf(config: pg.ClientConfig, setting: string): ConnectionTarget {
  let client: pg.Client;
  try {
    client = new pg.Client(config);
  } catch (cause) {
    throw new ConnectionStringError(
      setting,
      `cannot be used: ${tlsProblem(cause)}`,
      'Correct sslmode, sslrootcert, sslcert and sslkey; the files must be readable by this process.',
    );
  }
  return {
    setting,
    role: client.user ?? '',
    host: client.host,
    port: client.port,
    database: client.database ?? client.user ?? '',
    hasPassword: Boolean(client.password),
    usesTls: Boolean(client.ssl),
  };
}

function tlsProblem(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause && 'path' in cause) return `${cause.code} ${cause.path}`;
  return 'sslmode=verify-ca needs sslrootcert, and the other TLS parameters must fit together';
}

// As libpq does: `pg` alone looks no further than $USER, which services and containers often lack.
function systemUser(): string {
  try {
    return process.env['USER'] ?? userInfo().username;
  } catch {
    return 'postgres'; // a uid without an account, as in some containers
  }
}

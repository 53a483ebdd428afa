import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';
import { awsAuthorities } from './aws-authorities.ts';
import { PasswordError, passwordOfCommand } from './password-command.ts';

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

/** A URL, and where its password comes from if not from the URL: asked for at each connection, so that it may change. */
export interface SecretConnection {
  readonly url: string;
  /** A file that holds such a URL. Only its user and password are read again. */
  readonly urlFile?: string;
  /** A command of the shell that prints the password, such as a token of the cloud's identity service. */
  readonly passwordCommand?: string;
}

export interface ParsedConnection {
  /** For `new pg.Client({ ...config, … })`. Holds the password, or asks for it: never log it. */
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
export function parseConnectionString(
  connection: string | SecretConnection,
  setting: string,
): ParsedConnection {
  const url = parseUrl(urlTextOf(connection).trim(), setting);
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
  const authorities = verifiedBy(url);
  // Without a file, it would be refused; that the host's name may differ is said below.
  if (authorities && sslMode === 'verify-ca') url.searchParams.set('sslmode', 'verify-full');
  const connectionString = url.href.replace(emptyHost, '');
  const password = typeof connection === 'string' ? undefined : changingPassword(connection, setting);
  const config: pg.ClientConfig =
    password || authorities ? parsedConfig(connectionString, setting) : { connectionString };
  if (password) config.password = password;
  if (authorities) {
    const anyName = sslMode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {};
    // With the client's certificate, where the URL names one.
    config.ssl = { ...(typeof config.ssl === 'object' ? config.ssl : {}), ca: authorities, ...anyName };
  }
  return { config, target: targetOf(config, setting) };
}

/** The URL alone. Holds the password: never log it. */
export function urlTextOf(connection: string | SecretConnection): string {
  return typeof connection === 'string' ? connection : connection.url;
}

/** The authorities by which a server is verified that has none named, where they are known here. */
function verifiedBy(url: URL): string[] | undefined {
  const sslMode = url.searchParams.get('sslmode');
  if (sslMode !== 'verify-full' && sslMode !== 'verify-ca') return undefined;
  return url.searchParams.has('sslrootcert') ? undefined : awsAuthorities(url.hostname);
}

/** In a connection string, its own password would rule, also an empty one; and its own TLS. */
function parsedConfig(connectionString: string, setting: string): pg.ClientConfig {
  try {
    return parseIntoClientConfig(connectionString);
  } catch (cause) {
    throw unusable(setting, cause);
  }
}

/** What the driver calls for each connection that it makes. */
function changingPassword(
  { urlFile, passwordCommand }: SecretConnection,
  setting: string,
): (() => Promise<string>) | undefined {
  if (passwordCommand !== undefined) return () => passwordOfCommand(passwordCommand, setting);
  if (urlFile === undefined) return undefined;
  return async () => {
    let text: string;
    try {
      text = await readFile(urlFile, 'utf8');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new PasswordError(setting, `can't be read from ${urlFile}: ${code}`, 'Make the file readable.');
    }
    return decodeURIComponent(parseUrl(text.trim(), setting).password);
  };
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
    throw unusable(setting, cause);
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

function unusable(setting: string, cause: unknown): ConnectionStringError {
  return new ConnectionStringError(
    setting,
    `cannot be used: ${tlsProblem(cause)}`,
    'Correct sslmode, sslrootcert, sslcert and sslkey; the files must be readable by this process.',
  );
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

import {
  ConnectionStringError,
  type ParsedConnection,
  parseConnectionString,
} from '@bemi-db/source/connection-string';
import type { SourceTarget } from '@bemi-db/trail/added-sources/added-sources';
import { ApiProblem } from '../api-problem.ts';

const setting = 'The connection string';
const form = 'postgres://role:password@host:5432/database';
/** None of them names a file of this machine, or another place or password than the rest of the URL. */
const parameters = [
  ...['sslmode', 'connect_timeout', 'replication', 'schema', 'application_name', 'channel_binding'],
  'target_session_attrs',
];

export interface AddedConnection {
  readonly url: string;
  readonly parsed: ParsedConnection;
  readonly target: SourceTarget;
}

/**
 * A connection string that somebody entered in the dashboard. It has to say everything itself: what it left out would come
 * from this process, whose password is not for a server that somebody else names, and whose files and sockets are not theirs.
 *
 * @throws ApiProblem 422, which holds nothing of it.
 */
export function addedConnection(text: string): AddedConnection {
  const url = text.trim();
  let parsed: ParsedConnection;
  try {
    const { searchParams, username, password, hostname, pathname } = new URL(withoutSchemeOf(url));
    // An unencoded character in the password tears the URL.
    if ([...searchParams.keys()].some((name) => name.includes('@')))
      throw refused('is not a valid URL', `${encoding} The form is ${form}`);
    if ([...searchParams.keys()].some((name) => !parameters.includes(name)))
      throw refused(`has a parameter other than ${parameters.join(', ')}`, fileFix);
    if (username === '' || password === '' || hostname === '' || pathname.length < 2)
      throw refused('does not name role, password, host and database', `The form is ${form}`);
    parsed = parseConnectionString(url, setting);
  } catch (error) {
    if (error instanceof ApiProblem) throw error;
    if (error instanceof ConnectionStringError)
      throw new ApiProblem(422, error.code, error.message, error.fix);
    // The cause is left out on purpose: Node's error carries the whole URL.
    throw refused('is not a valid URL', `${encoding} The form is ${form}`);
  }
  const { host, port, database, role } = parsed.target;
  if (host.startsWith('/')) throw refused('names a socket of this machine', `The form is ${form}`);
  return { url, parsed, target: { host, port, database, role } };
}

const fileFix =
  'Leave it out. Certificates of your own, sockets and files are for bemi.config.yaml, beside the worker.';
const encoding = 'Characters such as @ / : # ? in the password are written as %40 %2F %3A %23 %3F.';

function refused(what: string, fix: string): ApiProblem {
  return new ApiProblem(422, 'connection-string', `${setting} ${what}`, fix);
}

/** The URL's own parser knows no host of other schemes than its own. What is not PostgreSQL's is told so. */
function withoutSchemeOf(url: string): string {
  if (!/^postgres(ql)?:\/\//i.test(url))
    throw refused('does not begin with postgres:// or postgresql://', `The form is ${form}`);
  return url;
}

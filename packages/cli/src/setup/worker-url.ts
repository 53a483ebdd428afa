import type { ConnectionTarget } from '@bemi-db/source/connection-string';

/**
 * A connection URL as another role. Everything but the credentials is kept as it is written.
 *
 * @param url - begins with `postgres://` or `postgresql://`.
 */
export function urlAs(url: string, role: string, password: string): string {
  const credentials = `${encodeURIComponent(role)}:${encodeURIComponent(password)}`;
  const [address = '', query] = url.trim().split(/\?(.*)/s, 2);
  const parameters = new URLSearchParams(query);
  for (const name of ['user', 'password']) parameters.delete(name);
  const rest = parameters.size > 0 ? `?${parameters}` : '';
  return address.replace(/^(postgres(?:ql)?:\/\/)(?:[^/@]*@)?/i, `$1${credentials}@`) + rest;
}

/** The password in a URL, if there is one. */
export function passwordOf(url: string): string | undefined {
  const encoded = /^postgres(?:ql)?:\/\/[^:/?#@]*:([^/?#@]+)@/i.exec(url.trim())?.[1];
  return encoded === undefined ? undefined : decodeURIComponent(encoded);
}

export function isSameDatabase(a: ConnectionTarget, b: ConnectionTarget): boolean {
  return a.host === b.host && a.port === b.port && a.database === b.database;
}

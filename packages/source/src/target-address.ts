import type { ConnectionTarget } from './connection-string.ts';

/** `host:port/database`, as a URL has it; of a socket, words to be filled in. */
export function addressOf({
  host,
  port,
  database,
}: Pick<ConnectionTarget, 'host' | 'port' | 'database'>): string {
  const name = encodeURIComponent(database);
  if (host.startsWith('/')) return `HOST:${port}/${name}`;
  return `${host.includes(':') ? `[${host}]` : host}:${port}/${name}`;
}

import { isIPv6 } from 'node:net';

/** Where a browser on this machine reaches what listens there. */
export function originOf(host: string, port: number): string {
  if (host === '0.0.0.0' || host === '::' || host === '127.0.0.1') return `http://localhost:${port}`;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Sender } from './framework-under-test.ts';

/** @returns the URL of a server that listens on a port of its own. */
export async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return urlOf(server);
}

export function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, 'close');
}

export function headersOf({ userId, ipAddress, requestId }: Sender): Record<string, string> {
  return {
    'content-type': 'application/json',
    'x-user-id': userId,
    'x-forwarded-for': ipAddress,
    'x-request-id': requestId,
  };
}

/** The headers that {@link headersOf} made, where the framework has Node's. */
export function header(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  name: string,
): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** Posts JSON, and fails unless the response is a success. */
export async function post(url: string, body: unknown, sender: Sender): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: headersOf(sender),
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.status} ${text}`);
  return text;
}

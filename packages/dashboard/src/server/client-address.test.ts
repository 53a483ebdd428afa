import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpenAPIHono } from '@hono/zod-openapi';
import { expect, onTestFinished, test } from 'vitest';
import { addressOf } from './asker.ts';
import { checkTrustedProxies, clientAddress, TrustedProxyError } from './client-address.ts';
import type { DashboardEnvironment } from './guarded-route.ts';
import { requestListener } from './request-listener.ts';

/** What a server that trusts these proxies takes for the address of whoever sends this header, from this machine. */
async function seenAs(trusted: readonly string[], forwarded: string | undefined): Promise<string> {
  const app = new OpenAPIHono<DashboardEnvironment>();
  app.use(clientAddress(trusted));
  app.get('/', (c) => c.text(addressOf(c) ?? 'nowhere'));
  const server = createServer(requestListener(app)).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return await (await fetch(`http://127.0.0.1:${port}/`, { headers })).text();
}

test.each([
  [[], undefined, '127.0.0.1'],
  // Anybody may write it.
  [[], '203.0.113.9', '127.0.0.1'],
  [['10.0.0.0/8'], '203.0.113.9', '127.0.0.1'],
  [['loopback'], undefined, '127.0.0.1'],
  [['loopback'], '203.0.113.9', '203.0.113.9'],
  // What stands before the last that isn't trusted was written by that one.
  [['loopback'], '198.51.100.1, 203.0.113.9', '203.0.113.9'],
  [['loopback', '10.0.0.0/8'], '198.51.100.1, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
  [['loopback'], '2001:db8::7', '2001:db8::7'],
  [['loopback'], '<script>', '127.0.0.1'],
] as const)('of those that trust %j, %s is %s', async (trusted, forwarded, address) => {
  expect(await seenAs(trusted, forwarded)).toBe(address);
});

test('what is neither an address nor a network is refused', () => {
  expect(() => checkTrustedProxies(['proxy.internal'])).toThrow(TrustedProxyError);
  expect(() => checkTrustedProxies(['10.0.0.0/99'])).toThrow(TrustedProxyError);
  expect(() => checkTrustedProxies(['uniquelocal', '::1', '10.0.0.0/8'])).not.toThrow();
});

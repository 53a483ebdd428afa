import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openTcpProxy } from './tcp-proxy.ts';

test('bytes keep their order when a slow network becomes fast again', async () => {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (!address || typeof address === 'string') throw new Error('The server has no port');
  const proxy = await openTcpProxy(`postgresql://127.0.0.1:${address.port}/`);
  try {
    const client = connect(proxy.port, '127.0.0.1').setNoDelay(true);
    const [end] = (await once(server, 'connection')) as [Socket];
    const received: Buffer[] = [];
    end.on('data', (bytes: Buffer) => received.push(bytes));
    const sent = Buffer.from(Array.from({ length: 60 }, (_, i) => i));
    for (const [i, byte] of sent.entries()) {
      if (i === 20) proxy.slowDown(30);
      if (i === 40) proxy.slowDown(0);
      client.write(Buffer.of(byte));
      await delay(1);
    }
    await expect.poll(() => Buffer.concat(received).length).toBe(sent.length);
    expect(Buffer.concat(received)).toEqual(sent);
    client.on('error', () => undefined).destroy();
    end.on('error', () => undefined);
  } finally {
    await proxy.close();
    server.close();
  }
});

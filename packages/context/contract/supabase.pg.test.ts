import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { runWithBemiContext } from '@bemi-db/context';
import { signMessage } from '@bemi-db/context/authentic-message';
import { fetchWithContext, type SupabaseOptions } from '@bemi-db/context/supabase';
import { createDatabase } from '@bemi-db/test-kit/database';
import { createClient } from '@supabase/supabase-js';
import pg from 'pg';
import { expect, it, onTestFinished } from 'vitest';
import { type DecodedWal, decodeWal } from '../test/decoded-wal.ts';
import { CREATE_ITEM_TABLE } from './item-table.ts';

const ALICE = { userId: 'alice', accessReason: `*/ '; DROP TABLE item; -- ärztin` };
const guide = readFileSync(new URL('../../../docs/context/supabase.md', import.meta.url), 'utf8');

/** The function, as the guide has it. */
function guideFunction(): string {
  const sql = /```sql\n(CREATE FUNCTION[\s\S]*?)```/.exec(guide)?.[1];
  if (sql === undefined) throw new Error('The guide has no function any more.');
  return sql;
}

/**
 * In the place of PostgREST, which is not on npm. It opens a request's transaction as PostgREST documents it; the
 * statement in it is the test's own.
 *
 * @see https://docs.postgrest.org/en/stable/references/transactions.html
 */
async function handle(pool: pg.Pool, request: IncomingMessage): Promise<void> {
  const reads = request.method === 'GET' || request.method === 'HEAD';
  const items = reads ? undefined : await text(request);
  const client = await pool.connect();
  try {
    await client.query(
      `START TRANSACTION ISOLATION LEVEL READ COMMITTED ${reads ? 'READ ONLY' : 'READ WRITE'}`,
    );
    await client.query(
      `SELECT set_config('search_path', '"public"', true), set_config('role', 'pg_monitor', true),
              set_config('request.headers', $1, true)`,
      [JSON.stringify(request.headers)],
    );
    await client.query('SELECT public.bemi_request_context()');
    if (items !== undefined) {
      const rows = 'json_to_record($1) AS item (id int, name text, quantity int)';
      await client.query(`INSERT INTO item SELECT * FROM ${rows}`, [items]);
    }
    await client.query('COMMIT');
  } finally {
    client.release();
  }
}

interface SupabaseBench {
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
  readonly admin: pg.Client;
  readonly wal: DecodedWal;
}

async function bench(): Promise<SupabaseBench> {
  const database = await createDatabase();
  const admin = await database.connect();
  await admin.query(`${CREATE_ITEM_TABLE}; GRANT ALL ON item TO PUBLIC; ${guideFunction()}`);
  const pool = new pg.Pool({ connectionString: database.url });
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    requests.push(request);
    handle(pool, request).then(
      () => response.writeHead(request.method === 'GET' ? 200 : 201).end(),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await pool.end();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, admin, wal: await decodeWal(database) };
}

/** Node 20 has no WebSocket, which supabase-js asks for; nothing here uses it. */
const noRealtime = { transport: class {} as never };

const connect = (url: string, options?: SupabaseOptions) =>
  createClient(url, 'key', { global: { fetch: fetchWithContext(options) }, realtime: noRealtime });

const item = (id: number) => ({ id, name: `item ${id}`, quantity: 1 });

it('carries the context of writes through a request', async () => {
  const { url, requests, wal } = await bench();
  const supabase = connect(url);
  const failed = (answer: { readonly error: unknown }) => answer.error;
  expect(failed(await runWithBemiContext(ALICE, () => supabase.from('item').insert(item(1))))).toBeNull();
  expect(failed(await supabase.from('item').insert(item(2)))).toBeNull();
  await runWithBemiContext(ALICE, () => supabase.from('item').select());
  await Promise.all(
    [3, 4, 5].map((id) => runWithBemiContext({ id }, () => supabase.from('item').insert(item(id)))),
  );
  expect(requests.find(({ method }) => method === 'GET')?.headers).not.toHaveProperty('x-bemi-context');
  const [first, second, ...rest] = await wal.take();
  expect([first, second]).toEqual([[ALICE, 'INSERT 1'], ['INSERT 2']]);
  expect(new Set(rest)).toEqual(new Set([3, 4, 5].map((id) => [{ id }, `INSERT ${id}`])));
});

it('says that a context was too large for a header', async () => {
  const { url, wal } = await bench();
  const supabase = connect(url);
  await runWithBemiContext({ long: 'x'.repeat(7000) }, () => supabase.from('item').insert(item(1)));
  expect(await wal.take()).toEqual([[{ _bemi_dropped: { '': 'too large for a header' } }, 'INSERT 1']]);
});

it('signs with a key, for the database that it is told', async () => {
  const { url, wal } = await bench();
  const apiKey = `bemi_sk_${'a'.repeat(32)}`;
  const supabase = connect(url, { apiKey, database: 'clinic' });
  await runWithBemiContext({ userId: 'u1' }, () => supabase.from('item').insert(item(1)));
  const [message = ''] = await wal.takeMessages();
  const { _bemi: member, ...context } = JSON.parse(message) as { _bemi: { time: string; nonce: string } };
  const { nonce, time } = member;
  const signature = { database: 'clinic', nonce, time: new Date(time) };
  expect(message).toBe(signMessage(JSON.stringify(context), apiKey, signature));
});

it('leaves what is not a write to the REST API as it is', async () => {
  const seen: unknown[] = [];
  const fetch = fetchWithContext({
    async fetch(input, init) {
      const request = new Request(input, init);
      seen.push(request.headers.get('x-bemi-context'), request.headers.get('apikey'));
      return new Response();
    },
  });
  const headers = { apikey: 'key' };
  await runWithBemiContext({ a: 1 }, async () => {
    await fetch('https://x.supabase.co/rest/v1/item', { headers });
    await fetch('https://x.supabase.co/storage/v1/object', { method: 'POST', headers });
    await fetch(new URL('https://x.supabase.co/rest/v1/rpc/f'), { method: 'post', headers });
    await fetch(new Request('https://x.supabase.co/rest/v1/item', { method: 'DELETE', headers }));
  });
  await fetch('https://x.supabase.co/rest/v1/item', { method: 'DELETE', headers });
  expect(seen).toEqual([null, 'key', null, 'key', '{"a":1}', 'key', '{"a":1}', 'key', null, 'key']);
});

it('the function sends nothing for a read, and without a request', async () => {
  const { url, admin, wal } = await bench();
  const response = await fetch(`${url}/rest/v1/item`, { headers: { 'x-bemi-context': '{"a":1}' } });
  expect(response.status).toBe(200);
  await admin.query('SELECT public.bemi_request_context()');
  expect(await wal.takeMessages()).toEqual([]);
});

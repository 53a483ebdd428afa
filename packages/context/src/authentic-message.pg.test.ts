import { readFileSync } from 'node:fs';
import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, it } from 'vitest';
import { decodeWal } from '../test/decoded-wal.ts';
import { ALICE, BOB, failure } from '../test/pg-bench.ts';
import { signMessage } from './authentic-message.ts';
import { runWithBemiContext } from './context.ts';
import { wrapClient } from './pg.ts';

const file = new URL('../../../docs/spec/vectors/authentic-context.json', import.meta.url);
const { apiKey } = (JSON.parse(readFileSync(file, 'utf8')) as { sign: [{ apiKey: string }] }).sign[0];

async function signingBench() {
  const database = await createDatabase();
  const client = wrapClient(await database.connect(), { apiKey });
  await client.query('CREATE TABLE t (id int PRIMARY KEY, v text)');
  return { database, client, wal: await decodeWal(database) };
}

/** The message signed again from what it says; equal to itself if it is right. */
function signedAgain(content: string, database: string): string {
  const { _bemi: member, ...context } = JSON.parse(content) as { _bemi: { time: string; nonce: string } };
  const { nonce, time } = member;
  return signMessage(JSON.stringify(context), apiKey, { database, nonce, time: new Date(time) });
}

it('signs in both protocols, anew each time, for the database that the server names', async () => {
  const { database, client, wal } = await signingBench();
  await runWithBemiContext(ALICE, async () => {
    await client.query('INSERT INTO t VALUES ($1)', [1]);
    await client.query('INSERT INTO t VALUES (2)');
    await client.query('UPDATE t SET v = $1', ['a']);
  });
  const messages = await wal.takeMessages();
  expect(messages).toHaveLength(3);
  expect(new Set(messages).size).toBe(3);
  for (const message of messages) {
    expect(JSON.parse(message)).toMatchObject(ALICE);
    expect(message).toBe(signedAgain(message, database.name));
  }
});

it('sends one message a transaction, another after a rollback to a savepoint, and ends a context', async () => {
  const { database, client, wal } = await signingBench();
  await runWithBemiContext(ALICE, async () => {
    await client.query('BEGIN');
    await client.query('INSERT INTO t VALUES ($1)', [1]);
    await client.query('INSERT INTO t VALUES (2)');
    await client.query('SAVEPOINT s');
    await client.query('ROLLBACK TO s');
    await client.query('INSERT INTO t VALUES (3)');
  });
  await runWithBemiContext(BOB, () => client.query('INSERT INTO t VALUES (4)'));
  await client.query('INSERT INTO t VALUES (5)');
  await client.query('COMMIT');
  const messages = await wal.takeMessages();
  expect(messages.map((message) => JSON.parse(message))).toEqual([
    expect.objectContaining(ALICE),
    expect.objectContaining(ALICE),
    expect.objectContaining(BOB),
    { _bemi: expect.objectContaining({ v: 1 }) },
  ]);
  expect(new Set(messages).size).toBe(4);
  for (const message of messages) expect(message).toBe(signedAgain(message, database.name));
});

it('leaves the position of an error where it was', async () => {
  const { client } = await signingBench();
  const error = await failure(runWithBemiContext(ALICE, () => client.query('INSERT INTO t VALUES (1), (x)')));
  expect(error.position).toBe('28');
});

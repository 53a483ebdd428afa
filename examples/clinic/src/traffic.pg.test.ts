import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, it, onTestFinished } from 'vitest';
import { type Decoded, decodeWal } from '../../../packages/context/test/decoded-wal.ts';
import { migrate } from './migrate.ts';
import { startClinic } from './server.ts';
import { playTraffic } from './traffic.ts';

it('plays until it is told to stop, each change with its context', async () => {
  const database = await createDatabase();
  await migrate(database.url);
  const wal = await decodeWal(database);
  const clinic = await startClinic({ databaseUrl: database.url });
  onTestFinished(() => clinic.close());

  const stop = new AbortController();
  const played = playTraffic(clinic.url, { signal: stop.signal, intervalMs: 1 });
  const endedTooSoon = played.then((): Decoded[] => {
    throw new Error('It stopped by itself.');
  });
  const recorded: Decoded[] = [];
  while (recorded.length < 200) recorded.push(...(await Promise.race([wal.take(), endedTooSoon])));
  stop.abort();
  await played;
  await expect(endedTooSoon).rejects.toThrow();

  const contexts = recorded.map(([context]) => Object(context) as Record<string, unknown>);
  for (const context of contexts) {
    expect(Object.keys(context).sort()).toEqual(
      ['accessReason', 'endpoint', 'ipAddress', 'role', 'userAgent', 'userId'].sort(),
    );
  }
  const changes = recorded
    .flatMap((transaction) => transaction.slice(1))
    .map((change) => String(change).split(' ')[0]);
  expect(new Set(changes)).toEqual(new Set(['INSERT', 'UPDATE', 'DELETE']));
  expect(new Set(contexts.map(({ userId }) => userId)).size).toBeGreaterThan(3);
  expect(new Set(contexts.map(({ ipAddress }) => ipAddress)).size).toBeGreaterThan(3);
});

it('fails if the clinic does', async () => {
  const { signal } = new AbortController();
  await expect(playTraffic('http://127.0.0.1:1', { signal })).rejects.toThrow();
});

import { setTimeout as delay } from 'node:timers/promises';
import type { BemiContext } from '@bemi-db/context';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { createWorker } from '@bemi-db/worker';
import { describe, expect, it } from 'vitest';
import type { RunningApplication, Sender } from './framework-under-test.ts';
import { frameworks } from './frameworks.ts';
import { CREATE_VISIT_TABLE, FAILED, openVisits, type Route, SECOND } from './visits.ts';

type Recorded = Record<number, BemiContext | null>;

describe.each(Object.entries(frameworks))('%s', (_name, load) => {
  it('has the context of its request recorded with each write', async () => {
    const database = await createRecordedDatabase((sql) => sql.query(CREATE_VISIT_TABLE));
    const visits = openVisits(database.source.url);
    const wanted: Recorded = {};
    try {
      const application = await (await load()).start(visits, database.source.url);
      try {
        await sendOneByOne(application, wanted);
        await sendTogether(application, wanted);
        for (const [name, { run, recorded }] of Object.entries(application.particular ?? {})) {
          await run().catch((cause: unknown) => {
            throw new Error(name, { cause });
          });
          Object.assign(wanted, recorded);
        }
      } finally {
        await application.close();
      }
    } finally {
      await visits.close();
    }
    expect(await recordedBy(database)).toEqual(wanted);
  }, 180_000);
});

async function sendOneByOne(application: RunningApplication, wanted: Recorded): Promise<void> {
  const users = ['alice', 'late bob', 'throwing', 'rejecting', 'carol'];
  for (const [index, userId] of users.entries()) {
    await send(application, 'one', 10 * (index + 1), userId, wanted);
    await send(application, 'two', 1000 + 10 * index, userId, wanted);
  }
}

/** Half of them begin while others wait for the pool. */
async function sendTogether(application: RunningApplication, wanted: Recorded): Promise<void> {
  const requests = Array.from({ length: 100 }, async (_, index) => {
    await delay(index % 5);
    const userId = `${index % 3 === 0 ? 'late ' : ''}user ${index}`;
    await send(application, index % 2 === 0 ? 'one' : 'two', 10_000 + 10 * index, userId, wanted);
  });
  await Promise.all(requests);
}

async function send(
  application: RunningApplication,
  route: Route,
  id: number,
  userId: string,
  wanted: Recorded,
): Promise<void> {
  const sender: Sender = { userId, ipAddress: `203.0.113.${id % 251}`, requestId: `request ${id}` };
  await application.send(route, id, sender);
  const fails = userId === 'throwing' || userId === 'rejecting';
  const context = fails ? FAILED : { ...sender, endpoint: application.endpoint(route, id) };
  wanted[id] = context;
  if (route === 'two') wanted[id + 1] = { ...context, ...SECOND };
}

async function recordedBy({ source, audit, slot, trail }: RecordedDatabase): Promise<Recorded> {
  await createWorker({ source: source.url, destination: audit.url, slot }).run({ drain: true });
  const { rows } = await trail.query<{ id: number; context: BemiContext | null }>(
    'SELECT primary_key::integer AS id, context FROM bemi.changes',
  );
  return Object.fromEntries(rows.map(({ id, context }) => [id, context]));
}

import { setTimeout as delay } from 'node:timers/promises';
import { mergeBemiContext } from '@bemi-db/context';
import { createPool } from '@bemi-db/context/pg';

/** As `../frameworks/visits.ts`: Next.js compiles what it runs by itself. */
const pool = createPool({ connectionString: process.env.DATABASE_URL, max: 10 });

async function insert(id) {
  await pool.query('INSERT INTO visit VALUES ($1)', [id]);
}

export const visits = {
  one: insert,
  async two(id) {
    await insert(id);
    await delay(id % 7);
    await addSecond();
    await insert(id + 1);
  },
};

async function addSecond() {
  await delay(1);
  mergeBemiContext({ step: 'second' });
}

export function contextFor(headers, endpoint) {
  const userId = headers.get('x-user-id');
  if (userId === 'throwing') throw new Error('no session');
  if (userId === 'rejecting') return delay(1).then(() => Promise.reject(new Error('no session')));
  const context = {
    userId,
    ipAddress: headers.get('x-forwarded-for'),
    requestId: headers.get('x-request-id'),
    endpoint,
  };
  return userId.startsWith('late') ? delay(3).then(() => context) : context;
}

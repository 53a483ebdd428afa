import { setTimeout as delay } from 'node:timers/promises';
import { type BemiContext, mergeBemiContext } from '@bemi-db/context';
import { createPool } from '@bemi-db/context/pg';

/** The table that the applications write. */
export const CREATE_VISIT_TABLE = 'CREATE TABLE visit (id integer PRIMARY KEY)';

/** What the routes of each application do. */
export interface Visits {
  /** The route `one`: writes a row. */
  one(id: number): Promise<void>;
  /** The route `two`: writes two rows, `id` and `id + 1`, and adds to the context between them. */
  two(id: number): Promise<void>;
  close(): Promise<void>;
}

export type Route = 'one' | 'two';

/** What the route `two` adds. */
export const SECOND = { step: 'second' };

/** On a pool that is smaller than the number of requests: they wait for each other. */
export function openVisits(url: string): Visits {
  const pool = createPool({ connectionString: url, max: 10 });
  const insert = async (id: number): Promise<void> => {
    await pool.query('INSERT INTO visit VALUES ($1)', [id]);
  };
  return {
    one: insert,
    async two(id) {
      await insert(id);
      await delay(id % 7);
      await addSecond();
      await insert(id + 1);
    },
    close: () => pool.end(),
  };
}

/** As a service does that the route awaits. */
async function addSecond(): Promise<void> {
  await delay(1);
  mergeBemiContext(SECOND);
}

/** What an application finds in a request. */
export interface RequestParts {
  readonly userId: string | undefined;
  readonly ipAddress: string | undefined;
  readonly endpoint: string;
  readonly requestId: string | undefined;
}

/** The function that makes the context, of every application: at once or later; for some users it fails. */
export function contextFor(parts: RequestParts): BemiContext | Promise<BemiContext> {
  if (parts.userId === 'throwing') throw new Error('no session');
  if (parts.userId === 'rejecting') return delay(1).then(() => Promise.reject(new Error('no session')));
  const context = { ...parts };
  return parts.userId?.startsWith('late') ? delay(3).then(() => context) : context;
}

/** What is recorded where the function failed. */
export const FAILED = { _bemi_dropped: { '/contextOf': 'it threw' } };

/**
 * The carrier for `pg`: each write is preceded by its context, in the write's own exchange with the server. No
 * round trip is added (but one to each connection, before its first message), no trigger, and no comment in the
 * SQL. Reads are sent as they are.
 *
 * @see https://node-postgres.com
 */
import pg from 'pg';
import { messageSigner, type SigningOptions } from './authentic-message.ts';
import { currentBemiContext, inThisScope } from './context.ts';
import { contextPipeline, type PipelinedClient } from './context-pipeline.ts';
import { contextMessage } from './message.ts';
import type { PgConnection, PgSubmittable } from './pg-connection.ts';
import { contextForStatement } from './statement-text.ts';
import { warnOnce } from './warning.ts';
import { changesRowsWith, isPlainWrite, type WritingRoutines } from './write-statement.ts';

/** What wrapping a pool or a client may be told. */
export interface CarrierOptions extends WritingRoutines, SigningOptions {}

type Query = (this: unknown, ...args: unknown[]) => unknown;

/** What is used of `pg`'s clients, from 8.11 on. */
interface WrappableClient extends PipelinedClient {
  query: Query;
  readonly connection?: PgConnection;
  readonly constructor: { readonly Query?: new (...args: unknown[]) => PgQuery };
}

interface PgQuery extends PgSubmittable {
  callback?: unknown;
  query_timeout?: unknown;
}

interface WrappablePool {
  connect: (callback?: (...args: unknown[]) => void) => unknown;
  on(event: 'acquire', listener: (client: pg.ClientBase) => void): unknown;
}

/** Marks what is wrapped, also for another copy of this module. */
const WRAPPED = Symbol.for('@bemi-db/context/pg/wrapped');

/**
 * A `pg` pool whose writes carry the context.
 *
 * @param config - as for `new pg.Pool`, or a connection URL.
 *
 * @example
 * const pool = createPool({ connectionString: process.env.DATABASE_URL });
 * await runWithBemiContext({ userId: 'u1' }, () => pool.query('DELETE FROM session WHERE id = $1', [id]));
 */
export function createPool(config: pg.PoolConfig | string = {}, options?: CarrierOptions): pg.Pool {
  return wrapPool(new pg.Pool(typeof config === 'string' ? { connectionString: config } : config), options);
}

/**
 * Makes the writes of a pool's clients carry the context, from the next time on that each is taken out.
 *
 * @returns the same pool. To wrap it again changes nothing.
 *
 * @example
 * const db = drizzle({ client: wrapPool(new pg.Pool({ connectionString })) });
 */
export function wrapPool<P extends pg.Pool>(pool: P, options?: CarrierOptions): P {
  if (markedAlready(pool)) return pool;
  const wrappable = pool as unknown as WrappablePool;
  const connect = wrappable.connect;
  // A full pool calls back from where a client is given back: in the scope of another request. (This is also the
  // way that pool.query takes.)
  wrappable.connect = (callback) => connect.call(pool, callback && inThisScope(callback));
  wrappable.on('acquire', (client) => wrapClient(client, options));
  return pool;
}

/**
 * Makes the writes of a client carry the context. Wrap it before its first query.
 *
 * The native client (`pg-native`) can't carry a context: it is left as it is, and Node's warning
 * `BEMI_CONTEXT_NOT_CARRIED` says so.
 *
 * @returns the same client. To wrap it again changes nothing.
 *
 * @example
 * const client = wrapClient(new pg.Client(process.env.DATABASE_URL));
 */
export function wrapClient<C extends pg.ClientBase>(client: C, options: CarrierOptions = {}): C {
  if (markedAlready(client)) return client;
  const wrappable = client as unknown as WrappableClient;
  const { connection } = wrappable;
  const Query = wrappable.constructor.Query;
  if (!connection?._send || !Query) {
    warnOnce(
      'BEMI_CONTEXT_NOT_CARRIED',
      'This kind of PostgreSQL client cannot carry a context.',
      'Use the client of `pg`.',
    );
    return client;
  }
  const sign = messageSigner(options);
  const precede = contextPipeline(connection, wrappable, sign);
  const changesRows = changesRowsWith(options);
  const query = wrappable.query;
  let carriesContexts = false;

  /** What is to be queued for a call of `query`, its context ahead; undefined: the call itself, which is left alone. */
  const withContext = (args: unknown[]): PgQuery | undefined => {
    const text = statementText(args[0], connection);
    if (typeof text !== 'string' || !changesRows(text)) return undefined;
    const message = messageFor(text);
    carriesContexts ||= message !== undefined;
    // Without a context of its own, a write must still not take over the one before it in its transaction.
    if (!carriesContexts) return undefined;
    const mayWait = isPlainWrite(text);
    const given = args[0] as PgQuery;
    if (typeof given.submit === 'function') {
      precede(given, message, mayWait);
      return undefined;
    }
    const own = new Query(...args);
    // What `pg` would complain of is left to it.
    if (own.callback !== undefined && typeof own.callback !== 'function') return undefined;
    // Read by the client from what it is given, so not a part of what a Query takes over.
    own.query_timeout = given.query_timeout;
    precede(own, message, mayWait);
    return own;
  };

  wrappable.query = (...args) => {
    let own: PgQuery | undefined;
    try {
      own = withContext(args);
    } catch {
      // The application's statement runs whatever becomes of its context.
    }
    if (own === undefined) return query.apply(client, args);
    return own.callback === undefined ? promised(client, query, own) : void query.call(client, own);
  };
  return client;
}

function markedAlready(target: object): boolean {
  return WRAPPED in target || !Object.defineProperty(target, WRAPPED, { value: true });
}

/** As `pg` itself does it, the stack that leads back to the application included. */
function promised(client: unknown, query: Query, submittable: PgQuery): Promise<unknown> {
  const settled = new Promise((resolve, reject) => {
    submittable.callback = (error: unknown, result: unknown) => (error ? reject(error) : resolve(result));
    query.call(client, submittable);
  });
  return settled.catch((error: unknown) => {
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  });
}

function messageFor(statement: string): string | undefined {
  const context = currentBemiContext();
  return context && Object.keys(context).length > 0
    ? contextMessage(contextForStatement(context, statement))
    : undefined;
}

/** The text that a call of `query` will run, if that is known. */
function statementText(given: unknown, connection: PgConnection): unknown {
  if (typeof given === 'string') return given;
  const { text, name, cursor } = given as { text?: unknown; name?: string; cursor?: { text?: unknown } };
  // A prepared statement may be called by its name alone.
  return text ?? connection.parsedStatements[name ?? ''] ?? cursor?.text;
}

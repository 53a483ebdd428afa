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
import { type ContextPipeline, contextPipeline } from './context-pipeline.ts';
import { contextMessage } from './message.ts';
import type { PgConnection, PgSubmittable } from './pg-connection.ts';
import { contextForStatement } from './statement-text.ts';
import { type ChangesRows, changesRowsWith, type WritingRoutines } from './write-statement.ts';

/** What wrapping a pool or a client may be told. */
export interface CarrierOptions extends WritingRoutines, SigningOptions {}

type Callback = (error: unknown, result?: unknown) => void;
type Query = (this: unknown, ...args: unknown[]) => unknown;

/** What is used of `pg`'s clients, from 8.11 on. */
interface WrappableClient {
  query: Query;
  readonly connection?: PgConnection;
  readonly pipeline?: boolean;
  readonly database?: unknown;
  readonly processID?: unknown;
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
  wrappable.connect = (callback) =>
    callback === undefined ? connect.call(pool) : connect.call(pool, inThisScope(callback));
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
  if (connection === undefined || Query === undefined) {
    process.emitWarning('This kind of PostgreSQL client cannot carry a context. Use the client of `pg`.', {
      code: 'BEMI_CONTEXT_NOT_CARRIED',
    });
    return client;
  }
  const pipeline = contextPipeline(connection, {
    pipelined: wrappable.pipeline === true,
    database: String(wrappable.database ?? ''),
    processId: () => wrappable.processID,
    sign: messageSigner(options),
  });
  wrappable.query = queryWithContext(wrappable, connection, Query, pipeline, changesRowsWith(options));
  return client;
}

function markedAlready(target: object): boolean {
  if (WRAPPED in target) return true;
  Object.defineProperty(target, WRAPPED, { value: true });
  return false;
}

function queryWithContext(
  client: WrappableClient,
  connection: PgConnection,
  Query: new (...args: unknown[]) => PgQuery,
  pipeline: ContextPipeline,
  changesRows: ChangesRows,
): Query {
  const query = client.query;
  let carriesContexts = false;

  /** The message that a call should be preceded by; undefined if the call is to be left alone. */
  function planFor(call: unknown): { readonly message: string | undefined } | undefined {
    const text = statementText(call, connection);
    if (text === undefined || !changesRows(text)) return undefined;
    const message = messageFor(text);
    carriesContexts ||= message !== undefined;
    // Without a context of its own, a write must still not take over the one before it in its transaction.
    return carriesContexts ? { message } : undefined;
  }

  return (...args) => {
    const plan = withoutFailing(() => planFor(args[0]));
    if (plan === undefined) return query.apply(client, args);
    if (isSubmittable(args[0])) {
      pipeline.precede(args[0], plan.message);
      return query.apply(client, args);
    }
    const own = newQuery(Query, args);
    if (own === undefined) return query.apply(client, args);
    pipeline.precede(own, plan.message);
    return own.callback === undefined ? promised(client, query, own) : void query.call(client, own);
  };
}

/** The query that `pg` would make itself; undefined where `pg` would complain, which is left to it. */
function newQuery(Query: new (...args: unknown[]) => PgQuery, args: unknown[]): PgQuery | undefined {
  return withoutFailing(() => {
    const submittable = new Query(...args);
    if (submittable.callback !== undefined && typeof submittable.callback !== 'function') return undefined;
    // Read by the client from what it is given, so not a part of what a Query takes over.
    submittable.query_timeout = (args[0] as PgQuery).query_timeout;
    return submittable;
  });
}

/** The application's statement runs whatever becomes of its context. */
function withoutFailing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** As `pg` itself does it, the stack that leads back to the application included. */
function promised(client: WrappableClient, query: Query, submittable: PgQuery): Promise<unknown> {
  const settled = new Promise((resolve, reject) => {
    const callback: Callback = (error, result) => (error ? reject(error) : resolve(result));
    submittable.callback = callback;
    query.call(client, submittable);
  });
  return settled.catch((error: unknown) => {
    if (error instanceof Error) Error.captureStackTrace(error);
    throw error;
  });
}

function messageFor(statement: string): string | undefined {
  const context = currentBemiContext();
  if (context === undefined || Object.keys(context).length === 0) return undefined;
  return contextMessage(contextForStatement(context, statement));
}

/** The text that a call of `query` will run; undefined if that isn't known, and is for `pg` to deal with. */
function statementText(given: unknown, connection: PgConnection): string | undefined {
  if (typeof given === 'string') return given;
  if (typeof given !== 'object' || given === null) return undefined;
  const { text, name, cursor } = given as { text?: unknown; name?: unknown; cursor?: { text?: unknown } };
  if (typeof text === 'string') return text;
  // A prepared statement may be called by its name alone.
  if (typeof name === 'string') return connection.parsedStatements[name];
  return typeof cursor?.text === 'string' ? cursor.text : undefined;
}

function isSubmittable(given: unknown): given is PgSubmittable {
  return (
    typeof given === 'object' && given !== null && 'submit' in given && typeof given.submit === 'function'
  );
}

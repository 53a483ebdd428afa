/**
 * The carrier for `postgres` (postgres.js): each write is preceded by its context, in the write's own exchange with the
 * server, as by the carrier for `pg`.
 *
 * postgres.js pipelines, and keeps its connections to itself; what it lets others have is the socket (its option
 * `socket`) and its queries. So each query is told its context when it begins, and says it where it is written: as the
 * name of its portal or, in the simple protocol, in front of its text. At the socket, `wire-context.ts` takes that for
 * what it is, and no byte of it gets to the server. Nothing of a query's way through pool, transaction, reserved
 * connection and pipeline is changed.
 *
 * @see https://github.com/porsager/postgres
 */
import { messageSigner } from './authentic-message.ts';
import { type BemiContext, currentBemiContext } from './context.ts';
import { type ConnectionOptions, driverSocket } from './driver-socket.ts';
import { contextMessage } from './message.ts';
import type { CarrierOptions } from './pg.ts';
import { contextForStatement } from './statement-text.ts';
import { contextWire, markedPortal, markedText } from './wire-context.ts';
import { changesRowsWith } from './write-statement.ts';

/** What is used of a function that makes queries: `sql`, also of a transaction, or of a reserved connection. */
interface Sql {
  (...args: unknown[]): unknown;
  readonly options?: ConnectionOptions & { readonly database: string };
}
type Method = (this: unknown, ...args: unknown[]) => unknown;

/** What is used of a query of postgres.js 3.3 and later. */
interface SqlQuery extends Promise<unknown> {
  readonly handle: () => unknown;
  readonly simple: () => this;
  readonly strings: object;
  readonly tagged: boolean;
  readonly handler: { readonly debug?: unknown };
  readonly options: { readonly simple?: boolean };
  readonly executed: boolean;
  readonly origin: string;
  /** The text, once it is known: just before it is written. */
  readonly string?: string;
  [CONTEXT]?: BemiContext | undefined;
}

interface SqlStatement {
  readonly string: string;
}

type Marked = (message: string | undefined, sql: string) => string;

/** The context of a query: where it begins or, as long as it has not, where it was made. */
const CONTEXT = Symbol('context');
const ORIGIN_FRAMES = 4;

/**
 * The function `postgres`, the writes of whose connections carry the context. What it makes is used as ever: queries,
 * `sql.unsafe`, `sql.file`, `sql.begin`, `sql.reserve`, cursors, COPY.
 *
 * @param postgres - `import postgres from 'postgres'`. It stays as it is.
 *
 * @example
 * const sql = wrapPostgres(postgres)(process.env.DATABASE_URL!);
 * await runWithBemiContext({ userId: 'u1' }, () => sql`DELETE FROM session WHERE id = ${id}`);
 */
export function wrapPostgres<P extends (...args: never[]) => unknown>(
  postgres: P,
  options: CarrierOptions = {},
): P {
  return new Proxy(postgres, {
    apply: (target, _this, args: readonly unknown[]) =>
      connected(target as unknown as (...args: unknown[]) => Sql, args, options),
  });
}

function connected(
  postgres: (...args: unknown[]) => Sql,
  [first, second]: readonly unknown[],
  carrier: CarrierOptions,
): Sql {
  // It opens no connection, and is only asked for what it makes of its arguments.
  const asked = postgres(first, second).options;
  if (asked === undefined)
    throw new TypeError('wrapPostgres wants the function `postgres` of postgres.js 3.');
  const sign = messageSigner(carrier);
  const ours = {
    // TLS is made below what adds the messages.
    ssl: false,
    socket: (options: ConnectionOptions) =>
      driverSocket({ ...options, ssl: asked.ssl, socket: asked.socket }, (ask) =>
        contextWire({ ask, database: asked.database, sign }),
      ),
  };
  const sql =
    !first || typeof first === 'string'
      ? postgres(first, { ...(second as object | undefined), ...ours })
      : postgres({ ...first, ...ours });
  return wrapSql(sql, carryingQueries(carrier), asked);
}

/** Queries that come to know their context. */
interface CarryingQueries {
  /** @param below - stack traces of where a query was made begin at what has called this function. */
  carry(made: unknown, below: object): unknown;
}

function wrapSql(sql: Sql, queries: CarryingQueries, asked?: ConnectionOptions): Sql {
  const own = (...args: unknown[]): unknown => queries.carry(sql(...args), own);
  const methods = sql as unknown as Readonly<Record<string, Method | undefined>>;
  const inTransaction = (work: unknown) =>
    typeof work === 'function' ? (transaction: Sql) => work(wrapSql(transaction, queries)) : work;
  const wrapped: Record<string, unknown> = {
    unsafe: (...args: unknown[]) => queries.carry(methods['unsafe']?.(...args), own),
    file: (...args: unknown[]) => queries.carry(methods['file']?.(...args), own),
    begin: (...args: unknown[]) => methods['begin']?.(...args.map(inTransaction)),
    savepoint: (...args: unknown[]) =>
      isTemplate(args[0])
        ? methods['savepoint']?.((inner: Sql) => wrapSql(inner, queries)(...args))
        : methods['savepoint']?.(...args.map(inTransaction)),
    reserve: async () => wrapSql((await methods['reserve']?.()) as Sql, queries),
  };
  for (const name of Object.keys(wrapped)) {
    if (methods[name] === undefined) delete wrapped[name];
  }
  if (asked !== undefined && sql.options !== undefined) wrapped['options'] = asGiven(sql.options, asked);
  return Object.assign(own, sql, wrapped) as Sql;
}

function isTemplate(given: unknown): boolean {
  return typeof given === 'object' && given !== null && 'raw' in given && Array.isArray(given.raw);
}

/** The options in use, but for two that the application gave otherwise. */
function asGiven(options: ConnectionOptions, asked: ConnectionOptions): ConnectionOptions {
  return new Proxy(options, {
    get: (target, name) =>
      name === 'ssl' || name === 'socket' ? asked[name] : (Reflect.get(target, name) as unknown),
  });
}

function carryingQueries(carrier: CarrierOptions): CarryingQueries {
  const changesRows = changesRowsWith(carrier);
  const origins = new WeakMap<object, { readonly stack?: string }>();
  let carriesContexts = false;
  let prototype: object | undefined;

  /** With its mark, if the query is a write; nothing that fails here may fail the query. */
  function marked(query: SqlQuery, mark: Marked): string | undefined {
    try {
      const sql = query.string;
      if (sql === undefined || !changesRows(sql)) return undefined;
      const message = messageOf(query[CONTEXT], sql);
      carriesContexts ||= message !== undefined;
      // Without a context of its own, a write must still not take over the one before it in its transaction.
      return carriesContexts ? mark(message, sql) : undefined;
    } catch {
      return undefined;
    }
  }

  /** In the simple protocol, the text of its statement is all that a query writes. */
  function markText(query: SqlQuery): void {
    let statement: SqlStatement | null = null;
    Object.defineProperty(query, 'statement', {
      configurable: true,
      enumerable: true,
      get: () => statement,
      set(given: SqlStatement | null) {
        statement = given;
        const text = given !== null && query.options.simple ? marked(query, markedText) : undefined;
        if (given !== null && text !== undefined) readOnceAs(text, given);
      },
    });
  }

  /** Queries of postgres.js with a few members of their own; it makes them by a class that it doesn't show. */
  function prototypeOver(base: SqlQuery): object {
    return Object.create(base, {
      handle: {
        value(this: SqlQuery) {
          if (!this.executed) this[CONTEXT] = currentBemiContext() ?? this[CONTEXT];
          return base.handle.call(this);
        },
      },
      simple: {
        value(this: SqlQuery) {
          markText(this);
          return base.simple.call(this);
        },
      },
      // Read where a query is bound, as the name of its portal. postgres.js itself gives none.
      cursorName: {
        get(this: SqlQuery) {
          return marked(this, markedPortal);
        },
      },
      // postgres.js remembers so many frames that only the wrapper would be seen.
      origin: {
        get(this: SqlQuery) {
          const made = this.tagged && !this.handler.debug ? origins.get(this.strings) : undefined;
          return made?.stack ?? (Reflect.get(base, 'origin', this) as string);
        },
      },
    });
  }

  function rememberOrigin({ strings }: SqlQuery, below: object): void {
    if (origins.has(strings)) return;
    const limit = Error.stackTraceLimit;
    const origin: { stack?: string } = {};
    Error.stackTraceLimit = ORIGIN_FRAMES;
    Error.captureStackTrace(origin, below as () => void);
    Error.stackTraceLimit = limit;
    origins.set(strings, origin);
  }

  return {
    carry(made, below) {
      if (!isQuery(made)) return made;
      prototype ??= prototypeOver(Object.getPrototypeOf(made) as SqlQuery);
      Object.setPrototypeOf(made, prototype);
      made[CONTEXT] = currentBemiContext();
      if (made.tagged) rememberOrigin(made, below);
      if (made.options.simple) markText(made);
      return made;
    },
  };
}

function isQuery(made: unknown): made is SqlQuery {
  return made instanceof Promise && 'handle' in made && 'handler' in made && 'strings' in made;
}

function messageOf(context: BemiContext | undefined, sql: string): string | undefined {
  if (context === undefined || Object.keys(context).length === 0) return undefined;
  return contextMessage(contextForStatement(context, sql));
}

/** The driver reads the text when it writes it, once; from then on the application may. */
function readOnceAs(text: string, statement: SqlStatement): void {
  const { string } = statement;
  const shown = { configurable: true, enumerable: true, writable: true, value: string };
  Object.defineProperty(statement, 'string', {
    configurable: true,
    enumerable: true,
    get() {
      Object.defineProperty(statement, 'string', shown);
      return text;
    },
  });
}

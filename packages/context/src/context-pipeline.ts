/**
 * A context's way into the protocol of one connection.
 *
 * What is sent between two Syncs is an *exchange*; the server runs it in one implicit transaction, unless it is in
 * an explicit one, and ends its answer with ReadyForQuery. A message joins a statement's exchange by going before
 * it: as Parse, Bind, Execute in the extended protocol, as a statement in front of the text in the simple one. The
 * server's answers to it are kept from the driver, which asked for nothing; so the driver's own bookkeeping, of
 * prepared statements above all, goes on as if nothing had been sent.
 *
 * Within an explicit transaction a message holds for all that follows it. It is sent again when the context is
 * another one, and after anything that may have undone it or ended the transaction (ROLLBACK TO, AND CHAIN): the
 * server's command tags tell.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html
 */
import type { SignMessage } from './authentic-message.ts';
import { askEmitPermission } from './emit-permission.ts';
import { CONTEXT_PREFIX } from './message.ts';
import type { PgConnection, PgSubmittable } from './pg-connection.ts';

export interface ContextPipeline {
  /**
   * Has the message sent ahead of a submittable, in its exchange, if the transaction doesn't carry it already.
   *
   * @param message - undefined: the statement has no context, and must not take over the one before it.
   */
  precede(submittable: PgSubmittable, message: string | undefined): void;
}

export interface PipelineOptions {
  /**
   * Whether the driver sends a query before the one before it is answered (`pg` in pipeline mode). Then the server can't
   * be asked first whether it takes messages; it is taken to.
   */
  readonly pipelined: boolean;
  /** The database that the client asked for. Where the server can be asked, what it says counts. */
  readonly database: string;
  /** Makes contexts authentic: with each sending anew, because no two messages are to be the same. */
  readonly sign: SignMessage | undefined;
}

interface Exchange {
  /** The message that went ahead, if one did. */
  readonly message?: string;
  /** Characters that were put in front of the text. */
  readonly prefixLength: number;
  /** The next answers are to the message, not to the statement. */
  answersMessage: boolean;
}

const NO_CONTEXT = '{}';
const WITHOUT_MESSAGE: Exchange = Object.freeze({ prefixLength: 0, answersMessage: false });
/** Tags of commands after which an earlier message may be gone, or belong to another transaction. */
const ENDS_MESSAGE = new Set(['ROLLBACK', 'COMMIT', 'PREPARE TRANSACTION', 'CALL', 'DO']);

const EMIT = `SELECT pg_catalog.pg_logical_emit_message(true, '${CONTEXT_PREFIX}', $1::text)`;

/** Dollar quotes hold whatever `standard_conforming_strings` says; a message has no `$`. */
function emitText(message: string): string {
  return `${EMIT.replace('$1', () => `$bemi$${message}$bemi$`)}; `;
}

/** Installs itself on a connection, once. Nothing may be under way on it. */
export function contextPipeline(
  connection: PgConnection,
  { pipelined, database: askedFor, sign }: PipelineOptions,
): ContextPipeline {
  const raw = {
    parse: connection.parse,
    bind: connection.bind,
    execute: connection.execute,
    query: connection.query,
    sync: connection.sync,
    emit: connection.emit,
  };
  let permission: 'unknown' | 'granted' | 'refused' = pipelined ? 'granted' : 'unknown';
  let database = askedFor;
  /** What the exchanges that were answered have left in effect in the open transaction. */
  let carried: string | undefined;
  /** In a transaction that failed, nothing but its end may be sent. */
  let failed = false;
  /** To be sent ahead of the next thing that is sent. */
  let due: string | undefined;
  let open = WITHOUT_MESSAGE;
  const unanswered: Exchange[] = [];

  const answered = (): Exchange => unanswered[0] ?? open;

  function messageDue(message: string | undefined): string | undefined {
    if (failed || permission === 'refused') return undefined;
    const none = carried === undefined && unanswered.every((exchange) => exchange.message === undefined);
    const wanted = message ?? (none ? undefined : NO_CONTEXT);
    // In pipeline mode, what is under way may change what is carried: send rather than guess.
    return wanted === carried && unanswered.length === 0 ? undefined : wanted;
  }

  function sendWith(message: string | undefined, submit: () => unknown): unknown {
    due = message;
    try {
      return submit();
    } finally {
      due = undefined;
    }
  }

  /** The driver's submit has returned long since when the answer is there: what it would return becomes an event. */
  function sendWhenPermitted(message: string, submittable: PgSubmittable, submit: () => unknown): void {
    const closedUnsent = watchClose(submittable);
    askEmitPermission(connection, raw, (answer, status, connectedTo) => {
      database = connectedTo ?? database;
      failed = status === 'E';
      let error: unknown;
      if (typeof answer === 'object') error = answer.cancelled;
      else {
        permission = answer;
        if (closedUnsent()) {
          connection.emit('readyForQuery', { status });
          return;
        }
        error = submitError(() => sendWith(answer === 'unknown' ? undefined : messageDue(message), submit));
      }
      if (!error) return;
      connection.emit('errorMessage', error);
      connection.emit('readyForQuery', { status });
    });
  }

  function closeExchange(): void {
    unanswered.push(open);
    open = WITHOUT_MESSAGE;
  }

  function openWith(message: string, prefixLength: number): void {
    due = undefined;
    open = { message, prefixLength, answersMessage: true };
    connection.emit = emitToDriver;
  }

  /** The unnamed statement: a named one breaks behind a pooler that shares server connections. */
  function sendDueMessage(): void {
    if (due === undefined) return;
    const message = due;
    openWith(message, 0);
    raw.parse.call(connection, { text: EMIT, name: '' });
    raw.bind.call(connection, { statement: '', values: [sign ? sign(message, database) : message] });
    raw.execute.call(connection, { portal: '', rows: 0 });
  }

  connection.parse = (statement) => {
    sendDueMessage();
    raw.parse.call(connection, statement);
  };
  connection.bind = (portal) => {
    sendDueMessage();
    raw.bind.call(connection, portal);
  };
  connection.query = (text) => {
    const prefix = due === undefined ? '' : emitText(sign ? sign(due, database) : due);
    if (due !== undefined) openWith(due, prefix.length);
    closeExchange();
    raw.query.call(connection, prefix + text);
  };
  connection.sync = () => {
    closeExchange();
    raw.sync.call(connection);
  };

  /** Takes the place of `connection.emit` while answers to a message are awaited: reads pass by as ever. */
  function emitToDriver(event: string, message?: unknown): boolean {
    const exchange = answered();
    if (exchange.answersMessage) {
      switch (event) {
        case 'parseComplete':
        case 'bindComplete':
        case 'rowDescription':
        case 'dataRow':
          return true;
        case 'commandComplete':
          endAnswersToMessage(exchange);
          carried = exchange.message;
          return true;
      }
    }
    return raw.emit.call(connection, event, message);
  }

  function endAnswersToMessage(exchange: Exchange): void {
    exchange.answersMessage = false;
    if (!open.answersMessage && !unanswered.some((other) => other.answersMessage)) connection.emit = raw.emit;
  }

  // Before the driver's own listeners: on ReadyForQuery, they send what is next in the queue.
  connection.prependListener('commandComplete', ({ text }) => {
    if (text !== undefined && ENDS_MESSAGE.has(text)) carried = undefined;
  });
  connection.prependListener('errorMessage', (error) => {
    const exchange = answered();
    if (exchange.answersMessage) endAnswersToMessage(exchange);
    if (exchange.prefixLength > 0 && error.position !== undefined) {
      error.position = String(Math.max(1, Number(error.position) - exchange.prefixLength));
    }
  });
  connection.prependListener('readyForQuery', ({ status }) => {
    unanswered.shift();
    failed = status === 'E';
    if (status === 'I') carried = undefined;
  });

  return {
    precede(submittable, message) {
      const submit = submittable.submit;
      submittable.submit = function (this: PgSubmittable, to) {
        const first = messageDue(message);
        const send = () => submit.call(this, to);
        if (first === undefined || permission !== 'unknown') return sendWith(first, send);
        return sendWhenPermitted(first, submittable, send);
      };
    },
  };
}

function submitError(submit: () => unknown): unknown {
  try {
    return submit();
  } catch (error) {
    return error;
  }
}

/**
 * A cursor that is closed before it is sent believes that it is done: sent then, it would wait for ever.
 *
 * @returns whether that was so, and stops watching.
 */
function watchClose(submittable: PgSubmittable): () => boolean {
  const cursor = submittable.cursor ?? submittable;
  const close = cursor.close;
  if (typeof close !== 'function') return () => false;
  let closed = false;
  cursor.close = (...args) => {
    closed = true;
    return close.apply(cursor, args);
  };
  return () => {
    cursor.close = close;
    return closed;
  };
}

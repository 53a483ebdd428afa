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
 * A prepared statement saves the server half of the message's cost. It is used where the server is known to be the
 * same one each time, and only outside of a transaction: should the statement be gone all the same, nothing has been
 * done, and the exchange is sent once more without it.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html
 */
import type { SignMessage } from './authentic-message.ts';
import { askEmitPermission } from './emit-permission.ts';
import { bindAndExecute, bytesOf, parseMessage, queryMessage } from './frontend-messages.ts';
import { CONTEXT_PREFIX } from './message.ts';
import type { BackendMessage, PgConnection, PgSubmittable } from './pg-connection.ts';

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
  /** Of the server's process, as it was told when the connection was made. Behind a pooler, it is another one. */
  readonly processId: () => unknown;
  /** Makes contexts authentic: with each sending anew, because no two messages are to be the same. */
  readonly sign: SignMessage | undefined;
}

interface Exchange {
  /** The message that goes ahead, if one does. */
  readonly message?: string;
  /** Characters that were put in front of the text. */
  readonly prefixLength: number;
  /** The next answers are to the message, not to the statement. */
  answersMessage: boolean;
  /** What the driver sent, while it may have to be sent again because the prepared statement is not there. */
  sent?: readonly Buffer[] | undefined;
}

const NO_CONTEXT = '{}';
const WITHOUT_MESSAGE: Exchange = Object.freeze({ prefixLength: 0, answersMessage: false });
/** Tags of commands after which an earlier message may be gone, or belong to another transaction. */
const ENDS_MESSAGE = /^(?:ROLLBACK|COMMIT|PREPARE TRANSACTION|CALL|DO)$/;
const ENDS_STATEMENTS = /^(?:DEALLOCATE|DISCARD) ALL$/;
/** Class of the errors by which somebody meant to stop the statement, or the server stops. */
const STOPPED = /^57/;

const EMIT = `SELECT pg_catalog.pg_logical_emit_message(true, '${CONTEXT_PREFIX}', `;
const EMIT_NAME = '_bemi_emit';

/** Installs itself on a connection, once. Nothing may be under way on it. */
export function contextPipeline(
  connection: PgConnection,
  { pipelined, database: askedFor, processId, sign }: PipelineOptions,
): ContextPipeline {
  const { emit, flush } = connection;
  const send = connection._send.bind(connection);
  let permission: 'unknown' | 'granted' | 'refused' = pipelined ? 'granted' : 'unknown';
  let database = askedFor;
  /** Whether EMIT_NAME is there. */
  let prepared: 'never' | 'no' | 'yes' = 'never';
  /** What the exchanges that were answered have left in effect in the open transaction. */
  let carried: string | undefined;
  /** What the last ReadyForQuery said. In a transaction that failed (E), nothing but its end may be sent. */
  let status: string | undefined;
  /** To be sent ahead of the next thing that is sent. */
  let due: string | undefined;
  /** What a submittable has sent until now: it goes out in one piece. */
  let gathered: Buffer[] | undefined;
  /** The exchange of what is gathered, if its message is to go before that. */
  let carrier: Exchange | undefined;
  let open = WITHOUT_MESSAGE;
  const unanswered: Exchange[] = [];

  const signed = (message: string): string => (sign ? sign(message, database) : message);

  function messageDue(message: string | undefined): string | undefined {
    if (status === 'E' || permission === 'refused') return undefined;
    const none = carried === undefined && unanswered.every((exchange) => exchange.message === undefined);
    const wanted = message ?? (none ? undefined : NO_CONTEXT);
    // In pipeline mode, what is under way may change what is carried: send rather than guess.
    return wanted === carried && unanswered.length === 0 ? undefined : wanted;
  }

  function sendWith(message: string | undefined, submit: () => unknown): unknown {
    if (message === undefined) return submit();
    due = message;
    gathered = [];
    try {
      return submit();
    } finally {
      due = undefined;
      sendGathered();
    }
  }

  function sendGathered(): void {
    const sent = gathered;
    gathered = undefined;
    if (carrier !== undefined && sent !== undefined) {
      const again = prepared !== 'never' && status === 'I' && unanswered[0] === carrier;
      sendBehindMessage(carrier, sent, again);
      carrier = undefined;
    } else if (sent !== undefined && sent.length > 0) send(Buffer.concat(sent));
  }

  function sendBehindMessage(exchange: Exchange, sent: readonly Buffer[], byName: boolean): void {
    const name = byName ? EMIT_NAME : '';
    if (byName) exchange.sent = sent;
    const parse = byName && prepared === 'yes' ? '' : parseMessage(name, `${EMIT}$1::text)`);
    const message = bytesOf(parse + bindAndExecute(name, signed(exchange.message ?? NO_CONTEXT)));
    send(Buffer.concat([message, ...sent]));
  }

  /** The driver's submit has returned long since when the answer is there: what it would return becomes an event. */
  function sendWhenPermitted(message: string, submittable: PgSubmittable, submit: () => unknown): void {
    const closedUnsent = watchClose(submittable);
    askEmitPermission(connection, send, (answer, ready, server) => {
      status = ready;
      let error: unknown;
      if (typeof answer === 'object') error = answer.cancelled;
      else {
        permission = answer;
        database = server.database ?? database;
        if (server.processId === String(processId())) prepared = 'no';
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

  connection._send = (bytes) => {
    const type = String.fromCharCode(bytes[0] ?? 0);
    const sent = [bytes];
    if (due !== undefined && /[PBQ]/.test(type)) {
      // Dollar quotes hold whatever `standard_conforming_strings` says; a message has no `$`.
      const prefix = type === 'Q' ? `${EMIT}$bemi$${signed(due)}$bemi$); ` : '';
      open = { message: due, prefixLength: prefix.length, answersMessage: true };
      due = undefined;
      if (prefix === '') carrier = open;
      else sent.splice(0, 1, bytesOf(queryMessage(prefix, bytes.length)), bytes.subarray(5));
    }
    if (/[QS]/.test(type)) {
      unanswered.push(open);
      open = WITHOUT_MESSAGE;
    }
    if (gathered) gathered.push(...sent);
    else for (const each of sent) send(each);
  };
  connection.flush = () => {
    sendGathered();
    flush.call(connection);
  };

  /** @returns whether the driver is to hear of it. */
  function hear(event: string, message: BackendMessage): boolean {
    const exchange = unanswered[0] ?? open;
    switch (event) {
      case 'parseComplete':
      case 'bindComplete':
      case 'rowDescription':
      case 'dataRow':
        if (exchange.answersMessage && exchange.sent) prepared = 'yes';
        return !exchange.answersMessage;
      case 'commandComplete':
        if (exchange.answersMessage) {
          exchange.answersMessage = false;
          carried = exchange.message;
          return false;
        }
        if (ENDS_MESSAGE.test(message.text ?? '')) carried = undefined;
        if (prepared === 'yes' && ENDS_STATEMENTS.test(message.text ?? '')) prepared = 'no';
        return true;
      case 'errorMessage':
        if (exchange.answersMessage) {
          if (exchange.sent && !STOPPED.test(message.code ?? '')) {
            prepared = 'never';
            return false;
          }
          exchange.answersMessage = false;
        }
        if (exchange.prefixLength > 0 && message.position !== undefined) {
          message.position = String(Math.max(1, Number(message.position) - exchange.prefixLength));
        }
        return true;
      case 'readyForQuery':
        if (exchange.answersMessage && exchange.sent) {
          sendBehindMessage(exchange, exchange.sent, false);
          exchange.sent = undefined;
          return false;
        }
        unanswered.shift();
        status = message.status;
        if (status === 'I') carried = undefined;
    }
    return true;
  }
  // Before the driver's listeners, which on ReadyForQuery send what is next in the queue.
  connection.emit = (event, message) =>
    !hear(event, message as BackendMessage) || emit.call(connection, event, message);

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

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
 * done, and the exchange is sent once more without it. It also waits for what the application's statement does: it is
 * bound ahead, where it can fail, and executed behind, where it emits only if the transaction has got an id. A write that
 * touches no row then has nothing to commit, as without a context: no WAL, and no wait for the disk.
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html
 */
import type { SignMessage } from './authentic-message.ts';
import { askEmitPermission, isCancelled } from './emit-permission.ts';
import {
  bindAndExecute,
  bindMessage,
  bytesOf,
  executeMessage,
  frontendMessage,
  parseMessage,
  SYNC,
} from './frontend-messages.ts';
import { CONTEXT_PREFIX } from './message.ts';
import type { BackendMessage, PgConnection, PgSubmittable } from './pg-connection.ts';

/**
 * Has the message sent ahead of a submittable, in its exchange, if the transaction doesn't carry it already.
 *
 * @param message - undefined: the statement has no context, and must not take over the one before it.
 * @param mayWait - the message may take effect behind the statement, which does not commit inside.
 */
export type Precede = (submittable: PgSubmittable, message: string | undefined, mayWait: boolean) => void;

/** What a client of `pg` says of itself. */
export interface PipelinedClient {
  /**
   * Whether the driver sends a query before the one before it is answered (`pg` in pipeline mode). Then the server can't
   * be asked first whether it takes messages; it is taken to.
   */
  readonly pipeline?: unknown;
  /** What the client asked for. Where the server can be asked, what it says counts. */
  readonly database?: unknown;
  /** Of the server's process, as it was told when the connection was made. Behind a pooler, it is another one. */
  readonly processID?: unknown;
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
  /** The answer to the message's Execute comes behind the statement's. */
  isBehind?: boolean;
}

const NO_CONTEXT = '{}';
/** No message is in force for sure, and one from before may be: what has no context must say so. */
const UNCERTAIN = '';
/**
 * Tags of commands after which an earlier message may be gone, or belong to another transaction. Or, after RELEASE, come
 * behind the next change: PostgreSQL merges a subtransaction by positions, and a message has that of the record behind it.
 */
const ENDS_MESSAGE = /^(?:ROLLBACK|COMMIT|PREPARE TRANSACTION|CALL|DO|RELEASE)$/;
const ENDS_STATEMENTS = /^(?:DEALLOCATE|DISCARD) ALL$/;

const EMIT = `SELECT pg_catalog.pg_logical_emit_message(true, '${CONTEXT_PREFIX}', `;
const EMIT_PARAMETER = `${EMIT}$1::text)`;
const IF_WRITTEN = ' WHERE pg_catalog.txid_current_if_assigned() IS NOT NULL';
const EMIT_NAME = '_bemi_emit';

/**
 * Installs itself on a connection, once. Nothing may be under way on it.
 *
 * @param sign - makes contexts authentic: with each sending anew, because no two messages are to be the same.
 */
export function contextPipeline(
  connection: PgConnection,
  client: PipelinedClient,
  sign: SignMessage | undefined,
): Precede {
  const { emit, flush } = connection;
  const send = connection._send.bind(connection);
  /** Whether messages may be sent; undefined: to be asked. */
  let permitted: boolean | undefined = client.pipeline === true || undefined;
  let database = String(client.database);
  /** Whether EMIT_NAME is there; undefined: it is not to be used. */
  let prepared: boolean | undefined;
  /** What the exchanges that were answered have left in effect in the open transaction. */
  let carried: string | undefined;
  /** What the last ReadyForQuery said. In a transaction that failed (E), nothing but its end may be sent. */
  let status: string | undefined;
  /** To be sent ahead of the next thing that is sent. */
  let due: string | undefined;
  /** It may take effect behind that. */
  let dueMayWait = false;
  /** What a submittable has sent until now: it goes out in one piece. */
  let gathered: Buffer[] | undefined;
  /** The exchange of what is gathered, if its message is to go before that. */
  let carrier: Exchange | undefined;
  let open = withoutMessage();
  const unanswered: Exchange[] = [];

  const signed = (message = NO_CONTEXT): string => (sign ? sign(message, database) : message);

  function messageDue(message: string | undefined): string | undefined {
    if (status === 'E' || permitted === false) return undefined;
    const none = carried === undefined && unanswered.every((exchange) => exchange.message === undefined);
    const wanted = message ?? (none ? undefined : NO_CONTEXT);
    // In pipeline mode, what is under way may change what is carried: send rather than guess.
    return wanted === carried && unanswered.length === 0 ? undefined : wanted;
  }

  function sendWith(message: string | undefined, mayWait: boolean, submit: () => unknown): unknown {
    if (message === undefined) return submit();
    due = message;
    dueMayWait = mayWait;
    gathered = [];
    try {
      return submit();
    } finally {
      due = undefined;
      sendGathered();
    }
  }

  function sendGathered(): void {
    if (gathered === undefined) return;
    const sent = gathered;
    const exchange = carrier;
    gathered = due === undefined ? undefined : [];
    carrier = undefined;
    if (sent.length === 0) return;
    if (exchange === undefined) send(Buffer.concat(sent));
    else if (prepared !== undefined && dueMayWait && status === 'I' && unanswered[0] === exchange) {
      exchange.sent = sent;
      const parse = prepared ? '' : parseMessage(EMIT_NAME, EMIT_PARAMETER + IF_WRITTEN);
      const ahead = bytesOf(parse + bindMessage(EMIT_NAME, signed(exchange.message)));
      const behind = bytesOf(executeMessage(EMIT_NAME) + SYNC);
      send(Buffer.concat([ahead, ...sent.slice(0, -1), behind]));
    } else sendBehind(exchange, sent);
  }

  function sendBehind({ message }: Exchange, sent: readonly Buffer[]): void {
    const ahead = bytesOf(parseMessage('', EMIT_PARAMETER) + bindAndExecute(signed(message)));
    send(Buffer.concat([ahead, ...sent]));
  }

  /** The driver's submit has returned long since when the answer is there: what it would return becomes an event. */
  function sendWhenPermitted(
    message: string,
    mayWait: boolean,
    submittable: PgSubmittable,
    submit: () => unknown,
  ): void {
    const closedUnsent = watchClose(submittable);
    askEmitPermission(connection, send, (answer, ready) => {
      status = ready;
      const closed = closedUnsent();
      let error: unknown = answer.cancelled;
      if (!error) {
        permitted = answer.granted;
        database = answer.database ?? database;
        if (answer.processId === String(client.processID)) prepared = false;
        const first = permitted ? messageDue(message) : undefined;
        try {
          if (!closed) error = sendWith(first, mayWait, submit);
        } catch (thrown) {
          error = thrown;
        }
      }
      if (error) connection.emit('errorMessage', error);
      if (error || closed) connection.emit('readyForQuery', { status });
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
      else sent.splice(0, 1, bytesOf(frontendMessage(type, prefix, bytes.length - 5)), bytes.subarray(5));
    }
    if (/[QS]/.test(type)) {
      unanswered.push(open);
      open = withoutMessage();
    }
    if (gathered) gathered.push(...sent);
    else send(bytes);
  };
  connection.flush = () => {
    sendGathered();
    flush.call(connection);
  };

  /** @returns whether the driver is to hear of it. */
  function hear(event: string, message: BackendMessage): boolean {
    const exchange = unanswered[0] ?? open;
    return exchange.answersMessage
      ? hearOfMessage(exchange, event, message)
      : hearOfStatement(exchange, event, message);
  }

  function hearOfMessage(exchange: Exchange, event: string, message: BackendMessage): boolean {
    switch (event) {
      case 'bindComplete':
        if (exchange.sent) {
          prepared = true;
          exchange.sent = undefined;
          exchange.answersMessage = false;
          exchange.isBehind = true;
        }
        return false;
      case 'commandComplete':
        exchange.answersMessage = false;
        carried = exchange.message;
        return false;
      case 'errorMessage':
        if (exchange.sent && !isCancelled(message)) {
          prepared = undefined;
          return false;
        }
        exchange.answersMessage = false;
        return hearOfStatement(exchange, event, message);
      case 'readyForQuery':
        if (!exchange.sent) return hearOfStatement(exchange, event, message);
        sendBehind(exchange, exchange.sent);
        exchange.sent = undefined;
        return false;
      default:
        return !/^(parse|row|data)/.test(event);
    }
  }

  function hearOfStatement(exchange: Exchange, event: string, message: BackendMessage): boolean {
    switch (event) {
      case 'commandComplete': {
        const { text = '' } = message;
        if (exchange.isBehind) exchange.answersMessage = true;
        if (carried !== undefined && ENDS_MESSAGE.test(text)) carried = UNCERTAIN;
        if (prepared && ENDS_STATEMENTS.test(text)) prepared = false;
        break;
      }
      case 'errorMessage':
        if (exchange.prefixLength > 0 && message.position !== undefined) {
          message.position = String(Math.max(1, Number(message.position) - exchange.prefixLength));
        }
        break;
      case 'readyForQuery':
        unanswered.shift();
        status = message.status;
        if (status === 'I') carried = undefined;
    }
    return true;
  }
  // Before the driver's listeners, which on ReadyForQuery send what is next in the queue.
  connection.emit = (event, message) =>
    !hear(event, message as BackendMessage) || emit.call(connection, event, message);

  return (submittable, message, mayWait) => {
    const submit = submittable.submit;
    submittable.submit = function (this: PgSubmittable, to) {
      const first = messageDue(message);
      const sendIt = () => submit.call(this, to);
      if (first === undefined || permitted !== undefined) return sendWith(first, mayWait, sendIt);
      return sendWhenPermitted(first, mayWait, submittable, sendIt);
    };
  };
}

function withoutMessage(): Exchange {
  return { prefixLength: 0, answersMessage: false };
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

/**
 * A context's way into the bytes between a driver and the server, where a driver shows no more of its connections than
 * their sockets. It is the way of `context-pipeline.ts`, one level down: the message goes ahead of a statement, in its
 * exchange with the server, and the answers to it are kept from the driver.
 *
 * The driver marks what may be preceded by a message ({@link markedPortal}, {@link markedText}). The marks are taken out
 * here. What has none passes as it is.
 *
 * Drivers send an exchange before the one before it is answered. What a transaction carries is then known only if
 * nothing that is under way can begin or end one; else a message is sent that may not have been needed.
 */
import type { SignMessage } from './authentic-message.ts';
import { askPermission, permissionOf } from './emit-permission.ts';
import { bindAndExecute, bytesOf, parseMessage } from './frontend-messages.ts';
import { CONTEXT_PREFIX } from './message.ts';
import { withoutLiterals } from './sql-text.ts';
import {
  columnsOf,
  fieldOf,
  HEADER_BYTES,
  message,
  messageEnd,
  stringAt,
  type,
  withField,
} from './wire-message.ts';

/** The two directions of one connection. Each takes whatever came, and gives what is to go on. */
export interface ContextWire {
  /** @param bytes - whole messages, or further parts of the last one. */
  toServer(bytes: Buffer): Buffer;
  /** @param bytes - cut anywhere. */
  toDriver(bytes: Buffer): Buffer;
}

export interface WireOptions {
  /** Sends to the server, past the driver. */
  readonly ask: (bytes: Buffer) => void;
  readonly database: string;
  /** Makes contexts authentic. */
  readonly sign: SignMessage | undefined;
}

interface Exchange {
  /** The message that went ahead, if one did. */
  message?: string;
  /** The types of the answers that the driver isn't to see, in order, of those that are still to come. */
  unseen: number[];
  /** Characters that were put in front of the text. */
  prefixLength: number;
  /** It may begin or end a transaction, or undo what is before it. */
  readonly controls: boolean;
  /** The Parse of the unnamed statement, if it went by. */
  parse?: Buffer;
}

const MARK = '\u0001';
const MARK_BYTE = 1;
const NO_CONTEXT = '{}';

const EMIT = `SELECT pg_catalog.pg_logical_emit_message(true, '${CONTEXT_PREFIX}', `;
const PARSE_EMIT = parseMessage('', `${EMIT}$1::text)`);
const EXTENDED_ANSWERS = [type.parseComplete, type.bindComplete, type.dataRow, type.commandComplete];
const SIMPLE_ANSWERS = [type.rowDescription, type.dataRow, type.commandComplete];

/** Statements that may begin or end a transaction, or undo what is before them in it. */
const CONTROLS = /\b(?:begin|start|commit|end|rollback|abort|savepoint|release|prepare|call|do)\b/i;
/** No message is in force for sure, and one from before may be: what has no context must say so. */
const UNCERTAIN = '';
/** Tags of commands after which an earlier message may be gone, belong to another transaction, or (RELEASE) come behind the next change. */
const ENDS_MESSAGE = new Set(['ROLLBACK', 'COMMIT', 'PREPARE TRANSACTION', 'CALL', 'DO', 'RELEASE']);
/** In the start of a connection that replicates: its server knows the simple protocol only. */
const REPLICATION = '\0replication\0';

/**
 * The name that a portal is given for its statement to be preceded by a message; the server sees the unnamed portal.
 *
 * @param contextMessage - as `contextMessage` writes it; undefined: the statement has no context, and must not take over
 *   the one before it in its transaction.
 */
export function markedPortal(contextMessage: string | undefined): string {
  return MARK + (contextMessage ?? '');
}

/** The text of a simple query, for it to be preceded by a message. */
export function markedText(contextMessage: string | undefined, sql: string): string {
  return MARK + (contextMessage ?? '') + MARK + sql;
}

/** For a connection at its very start. */
export function contextWire({ ask, database: askedFor, sign }: WireOptions): ContextWire {
  let stage: 'new' | 'starting' | 'asking' | 'started' = 'new';
  let replicates = false;
  let permitted = false;
  let database = askedFor;
  let status: 'I' | 'T' | 'E' = 'I';
  /** What the exchanges that were answered have left in effect in the open transaction. */
  let carried: string | undefined;
  let open: Exchange | undefined;
  const unanswered: Exchange[] = [];
  /** Names of prepared statements that are no reads and no writes. */
  const controlling = new Set<string>();

  function messageDue(marked: string): string | undefined {
    if (!permitted) return undefined;
    if (unanswered.some(({ controls }) => controls)) {
      const none = carried === undefined && unanswered.every((exchange) => exchange.message === undefined);
      return marked || (none ? undefined : NO_CONTEXT);
    }
    if (status === 'E') return undefined;
    // Outside of a transaction, each of those under way is one by itself.
    const last = unanswered.findLast((exchange) => exchange.message !== undefined)?.message;
    const inForce = status === 'T' ? (last ?? carried) : undefined;
    const wanted = marked || (inForce === undefined ? undefined : NO_CONTEXT);
    return wanted === inForce ? undefined : wanted;
  }

  const signed = (due: string): string => (sign ? sign(due, database) : due);

  function newExchange(controls: boolean): Exchange {
    return { unseen: [], prefixLength: 0, controls };
  }

  function simpleQuery(bytes: Buffer): Buffer {
    const isMarked = bytes[HEADER_BYTES] === MARK_BYTE;
    const markEnd = isMarked ? bytes.indexOf(MARK_BYTE, HEADER_BYTES + 1) : 0;
    const sql = stringAt(bytes, isMarked ? markEnd + 1 : HEADER_BYTES);
    const exchange = newExchange(controlsTransaction(sql.toString()));
    const due = isMarked ? messageDue(bytes.toString('latin1', HEADER_BYTES + 1, markEnd)) : undefined;
    unanswered.push(exchange);
    if (!isMarked) return bytes;
    if (due === undefined) return message(type.query, sql, Buffer.of(0));
    // Dollar quotes hold whatever `standard_conforming_strings` says; a message has no `$`.
    const prefix = `${EMIT}$bemi$${signed(due)}$bemi$); `;
    exchange.message = due;
    exchange.prefixLength = prefix.length;
    exchange.unseen = [...SIMPLE_ANSWERS];
    return message(type.query, bytesOf(prefix), sql, Buffer.of(0));
  }

  function parse(bytes: Buffer): void {
    const name = stringAt(bytes, HEADER_BYTES);
    const sql = stringAt(bytes, HEADER_BYTES + name.length + 1);
    const controls = controlsTransaction(sql.toString());
    if (controls && name.length > 0) controlling.add(name.toString());
    open ??= newExchange(controls);
    if (name.length === 0) open.parse = bytes;
  }

  /**
   * @param parseIsHere - the Parse of this statement has not gone yet: the message can go ahead of it.
   * @returns what goes ahead of the Parse or, if that has gone, of the Bind; and the Bind.
   */
  function bind(bytes: Buffer, parseIsHere: boolean): readonly [ahead: Buffer | undefined, bind: Buffer] {
    const portal = stringAt(bytes, HEADER_BYTES);
    const statement = stringAt(bytes, HEADER_BYTES + portal.length + 1);
    open ??= newExchange(controlling.has(statement.toString()));
    if (portal[0] !== MARK_BYTE) return [undefined, bytes];
    const unmarked = message(type.bind, bytes.subarray(HEADER_BYTES + portal.length));
    const due = messageDue(portal.toString('latin1', 1));
    if (due === undefined) return [undefined, unmarked];
    open.message = due;
    open.unseen = [...EXTENDED_ANSWERS];
    const ahead = bytesOf(PARSE_EMIT + bindAndExecute(signed(due)));
    // The message takes the place of the unnamed statement, which the driver had described before it binds it.
    if (statement.length > 0 || parseIsHere || open.parse === undefined) return [ahead, unmarked];
    open.unseen.push(type.parseComplete);
    return [Buffer.concat([ahead, open.parse]), unmarked];
  }

  let toServerRest = 0;

  function toServer(bytes: Buffer): Buffer {
    if (stage === 'new') {
      stage = 'starting';
      replicates = bytes.includes(REPLICATION);
      return bytes;
    }
    const parts: Buffer[] = [];
    /** Where in the parts the messages of the open exchange begin, if all of them are here. */
    let begin: number | undefined;
    let at = Math.min(toServerRest, bytes.length);
    toServerRest -= at;
    let kept = 0;
    const keepUpTo = (end: number) => {
      if (end > kept) parts.push(bytes.subarray(kept, end));
      kept = end;
    };
    while (at + HEADER_BYTES <= bytes.length) {
      const end = messageEnd(bytes, at);
      if (end > bytes.length) {
        toServerRest = end - bytes.length;
        break;
      }
      const here = bytes.subarray(at, end);
      switch (here[0]) {
        case type.query:
          keepUpTo(at);
          parts.push(simpleQuery(here));
          kept = end;
          break;
        case type.parse:
          keepUpTo(at);
          begin = parts.length;
          parse(here);
          break;
        case type.bind: {
          keepUpTo(at);
          const [ahead, bound] = bind(here, begin !== undefined);
          if (ahead !== undefined) parts.splice(begin ?? parts.length, 0, ahead);
          parts.push(bound);
          kept = end;
          break;
        }
        case type.sync:
          unanswered.push(open ?? newExchange(false));
          open = undefined;
          begin = undefined;
          break;
      }
      at = end;
    }
    if (kept === 0 && parts.length === 0) return bytes;
    keepUpTo(bytes.length);
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  }

  /** @returns what the driver sees of an answer: itself, another one, or nothing. */
  function seenByDriver(answer: Buffer): Buffer | undefined {
    if (stage === 'starting') return seenWhileStarting(answer);
    if (stage === 'asking') return seenWhileAsking(answer);
    const exchange = unanswered[0] ?? open;
    if (exchange !== undefined && exchange.unseen[0] === answer[0]) {
      exchange.unseen.shift();
      if (answer[0] === type.commandComplete) carried = exchange.message;
      return undefined;
    }
    switch (answer[0]) {
      case type.commandComplete:
        if (carried !== undefined && ENDS_MESSAGE.has(stringAt(answer, HEADER_BYTES).toString()))
          carried = UNCERTAIN;
        return answer;
      case type.errorResponse:
      case type.noticeResponse:
        return withPositionInText(answer, exchange);
      case type.readyForQuery:
        unanswered.shift();
        status = String.fromCharCode(answer[HEADER_BYTES] ?? 0) as typeof status;
        if (status === 'I') carried = undefined;
        return answer;
      default:
        return answer;
    }
  }

  /** The server is asked before the driver may send its first query. */
  function seenWhileStarting(answer: Buffer): Buffer | undefined {
    if (answer[0] !== type.readyForQuery) return answer;
    if (replicates) {
      stage = 'started';
      return answer;
    }
    stage = 'asking';
    ask(askPermission());
    return undefined;
  }

  function seenWhileAsking(answer: Buffer): Buffer | undefined {
    switch (answer[0]) {
      case type.dataRow: {
        const permission = permissionOf(columnsOf(answer));
        permitted = permission.granted === true;
        database = permission.database ?? database;
        return undefined;
      }
      case type.parseComplete:
      case type.bindComplete:
      case type.commandComplete:
        return undefined;
      case type.errorResponse:
        // 57P…: the server stops, or the session is ended. Else the question can't be answered here: no messages, then.
        return fieldOf(answer, 'C')?.startsWith('57P') ? answer : undefined;
      case type.readyForQuery:
        stage = 'started';
        return answer;
      default:
        return answer;
    }
  }

  /** What has come of a message that is not there as a whole. */
  let begun: Buffer | undefined;
  let toDriverRest = 0;

  function toDriver(given: Buffer): Buffer {
    const bytes = begun === undefined ? given : Buffer.concat([begun, given]);
    begun = undefined;
    const parts: Buffer[] = [];
    let at = Math.min(toDriverRest, bytes.length);
    toDriverRest -= at;
    let kept = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const end = messageEnd(bytes, at);
      const isRead = isLookedAt(bytes[at] ?? 0);
      if (end > bytes.length) {
        if (isRead) break;
        toDriverRest = end - bytes.length;
        at = bytes.length;
        break;
      }
      if (isRead) {
        const answer = bytes.subarray(at, end);
        const seen = seenByDriver(answer);
        if (seen !== answer) {
          if (at > kept) parts.push(bytes.subarray(kept, at));
          if (seen !== undefined) parts.push(seen);
          kept = end;
        }
      }
      at = end;
    }
    if (at < bytes.length) begun = bytes.subarray(at);
    if (kept === 0 && at === bytes.length) return bytes;
    parts.push(bytes.subarray(kept, at));
    return Buffer.concat(parts);
  }

  /** Rows can be large, and are many: they pass unread, but for those that are answers to messages. */
  function isLookedAt(messageType: number): boolean {
    switch (messageType) {
      case type.commandComplete:
      case type.errorResponse:
      case type.readyForQuery:
      case type.noticeResponse:
        return true;
      case type.parseComplete:
      case type.bindComplete:
      case type.rowDescription:
      case type.dataRow:
        return stage === 'asking' || (unanswered[0] ?? open)?.unseen[0] === messageType;
      default:
        return false;
    }
  }

  return { toServer, toDriver };
}

function controlsTransaction(sql: string): boolean {
  if (!CONTROLS.test(sql)) return false;
  return withoutLiterals(sql)
    .split(';')
    .some((statement) => CONTROLS.test(/^\W*\w+/.exec(statement)?.[0] ?? ''));
}

function withPositionInText(response: Buffer, exchange: Exchange | undefined): Buffer {
  if (exchange === undefined || exchange.prefixLength === 0) return response;
  const position = fieldOf(response, 'P');
  if (position === undefined) return response;
  return withField(response, 'P', String(Math.max(1, Number(position) - exchange.prefixLength)));
}

/**
 * A context on the wire: the content of a transactional logical decoding message, a JSON object.
 *
 * The text is ASCII, because PostgreSQL passes a message's content on in the server's encoding; and it holds
 * no `$`, so that it can stand in a dollar-quoted literal, where nothing can end it or be escaped.
 *
 * @see https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-REPLICATION
 */

/** Prefix of the logical messages that carry context. */
export const CONTEXT_PREFIX = '_bemi';

/** Member that is kept for authentication. A context that has it at its top loses it, and says so. */
export const AUTHENTICATION_MEMBER = '_bemi';

/**
 * Member that says what of a context could not be kept: an object from JSON Pointer (RFC 6901) to reason, as in
 * `{"/request/socket":"cycle"}`. Absent when all was kept.
 */
export const DROPPED_MEMBER = '_bemi_dropped';

/** The longest message, in bytes (and characters: it is ASCII). What doesn't fit is dropped, member by member. */
export const MAX_MESSAGE_BYTES = 65_536;

/** The longest string in a context, in UTF-16 code units. A longer one is cut. */
export const MAX_TEXT_LENGTH = 8_192;

/** Objects and arrays within each other. */
export const MAX_DEPTH = 256;

/** Room in the message for what DROPPED_MEMBER says. */
const REPORT_BYTES = 8_192;
const MAX_REPORTS = 16;
const MAX_POINTER_LENGTH = 64;

/** What `jsonb` refuses in a string, though JSON allows it: NUL and halves of surrogate pairs. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu;
const TO_ESCAPE = /[^ !#%-[\]-~]/g;

const messages = new WeakMap<object, string>();

/**
 * The message of a context. It never throws: what JSON (or PostgreSQL's `jsonb`) can't hold is left out, and
 * {@link DROPPED_MEMBER} says what and why.
 *
 * Like `JSON.stringify`, it calls `toJSON`, and takes `undefined` for absent. Otherwise than that, a BigInt, NaN
 * or Infinity becomes a string; functions, symbols, cycles, binary data and objects without members of their own
 * (a Map, an Error) are dropped. Members that are objects come last: if a context is too large, they go first.
 *
 * The answer is kept for as long as the context object lives: don't change it afterwards.
 *
 * @example
 * contextMessage({ userId: 7n, role: 'NURSE', onDone() {} });
 * // {"userId":"7","role":"NURSE","_bemi_dropped":{"/onDone":"function"}}
 */
export function contextMessage(context: object): string {
  const known = messages.get(context);
  if (known !== undefined) return known;
  const message = writeMessage(context);
  messages.set(context, message);
  return message;
}

function writeMessage(context: object): string {
  /** Characters that may still be written. */
  let room = MAX_MESSAGE_BYTES - REPORT_BYTES;
  let unreported = 0;
  const reports: string[] = [];
  /** Keys from the top down to the value that is being written. */
  const path: string[] = [];
  /** The objects around that value: as many as there are keys. */
  const around: object[] = [context];

  function drop(reason: string): undefined {
    if (reports.length === MAX_REPORTS) {
      unreported++;
      return;
    }
    const steps = path.map((step) =>
      step.slice(0, MAX_POINTER_LENGTH).replace(/~/g, '~0').replace(/\//g, '~1'),
    );
    const pointer = withoutHalfPair(['', ...steps].join('/').slice(0, MAX_POINTER_LENGTH));
    reports.push(`${quote(storable(pointer))}:${quote(reason)}`);
  }

  function keepIfRoom(text: string): string | undefined {
    if (text.length > room) return drop('too large');
    room -= text.length;
    return text;
  }

  /** Each as `,"key":value`, unless the value is dropped. */
  function writeMembers(owner: object, keys: readonly string[]): string {
    let members = '';
    for (const key of keys) {
      const before = room;
      path.push(key);
      const name = writeName(key);
      const text = name && writeProperty(owner, key);
      path.pop();
      if (text === undefined) room = before;
      else members += `${name}${text}`;
    }
    return members;
  }

  function writeName(key: string): string | undefined {
    if (path.length === 1 && (key === AUTHENTICATION_MEMBER || key === DROPPED_MEMBER)) {
      return drop('reserved');
    }
    return key.length > MAX_TEXT_LENGTH ? drop('too large') : keepIfRoom(`,${quote(cleaned(key))}:`);
  }

  /** Reading a property may run the application's code, and that may throw. */
  function writeProperty(owner: object, key: string): string | undefined {
    try {
      return writeValue(jsonValue((owner as Readonly<Record<string, unknown>>)[key], key));
    } catch {
      around.length = path.length;
      return drop('error');
    }
  }

  function writeValue(value: unknown): string | undefined {
    switch (typeof value) {
      case 'string':
        return keepIfRoom(quote(writableText(value)));
      case 'object':
        return value === null ? keepIfRoom('null') : writeObject(value);
      case 'bigint':
      case 'number':
        return keepIfRoom(Number.isFinite(value) ? String(value) : `"${value}"`);
      case 'boolean':
        return keepIfRoom(String(value));
      case 'undefined':
        return undefined;
      default:
        return drop(typeof value);
    }
  }

  function writableText(text: string): string {
    const cut = text.length > MAX_TEXT_LENGTH ? withoutHalfPair(text.slice(0, MAX_TEXT_LENGTH)) : text;
    if (cut !== text) drop(`cut: ${cut.length} of ${text.length} characters`);
    return cleaned(cut);
  }

  function cleaned(given: string): string {
    const clean = storable(given);
    if (clean !== given) drop('NUL or half a surrogate pair, now U+FFFD');
    return clean;
  }

  function writeObject(value: object): string | undefined {
    const refusal = whyNotWritten(value);
    if (refusal !== undefined) return drop(refusal);
    room -= 2;
    around.push(value);
    const text = Array.isArray(value)
      ? `[${writeElements(value).slice(1)}]`
      : `{${writeMembers(value, Object.keys(value)).slice(1)}}`;
    around.pop();
    return text;
  }

  function whyNotWritten(value: object): string | undefined {
    if (around.includes(value)) return 'cycle';
    if (around.length >= MAX_DEPTH) return 'too deep';
    if (room < 2) return 'too large';
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'binary';
    if (Array.isArray(value) || Object.keys(value).length > 0) return undefined;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === null || prototype === Object.prototype) return undefined;
    return Object.prototype.toString.call(value).slice('[object '.length, -1).slice(0, MAX_POINTER_LENGTH);
  }

  /** An element that can't be written is null: the others keep their places. */
  function writeElements(value: readonly unknown[]): string {
    let elements = '';
    for (let index = 0; index < value.length; index++) {
      if (room < ',null'.length) {
        drop(`too large: ${value.length - index} of ${value.length} elements`);
        break;
      }
      room--;
      path.push(String(index));
      const text = writeProperty(value, String(index));
      path.pop();
      if (text === undefined) room -= 'null'.length;
      elements += `,${text ?? 'null'}`;
    }
    return elements;
  }

  /** Plain values first: who and why must not give way to a large object. */
  function topLevelKeys(): string[] {
    const plain: string[] = [];
    const nested: string[] = [];
    try {
      for (const key of Object.keys(context)) {
        const value: unknown = Object.getOwnPropertyDescriptor(context, key)?.value;
        (typeof value === 'object' && value !== null ? nested : plain).push(key);
      }
    } catch {
      drop('error');
    }
    return [...plain, ...nested];
  }

  let members = writeMembers(context, topLevelKeys());
  if (unreported > 0) reports.push(`"":"and ${unreported} more"`);
  if (reports.length > 0) members += `,"${DROPPED_MEMBER}":{${reports.join(',')}}`;
  return `{${members.slice(1)}}`;
}

function jsonValue(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON.call(value, key) as unknown) : value;
}

function storable(text: string): string {
  return text.replace(UNSTORABLE, '\ufffd');
}

/** A cut may go through a surrogate pair; that is no fault of the application's to report. */
function withoutHalfPair(cut: string): string {
  return cut.replace(/[\ud800-\udbff]$/, '');
}

function quote(text: string): string {
  return `"${text.replace(TO_ESCAPE, escapeCodeUnit)}"`;
}

function escapeCodeUnit(unit: string): string {
  return /["\\]/.test(unit) ? `\\${unit}` : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

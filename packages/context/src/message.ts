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
  let dropped = 0;
  const reports: string[] = [];

  function drop(pointer: string, reason: string): undefined {
    if (dropped++ < MAX_REPORTS)
      reports.push(`${quote(storable(withoutHalfPair(pointer)))}:${quote(reason)}`);
  }

  function keepIfRoom(text: string, pointer: string): string | undefined {
    if (text.length > room) return drop(pointer, 'too large');
    room -= text.length;
    return text;
  }

  function quoteStorable(text: string, pointer: string): string {
    const clean = storable(text);
    if (clean !== text) drop(pointer, 'NUL or half a surrogate pair, now U+FFFD');
    return quote(clean);
  }

  function writeText(text: string, pointer: string): string | undefined {
    const cut = text.length > MAX_TEXT_LENGTH ? withoutHalfPair(text.slice(0, MAX_TEXT_LENGTH)) : text;
    if (cut !== text) drop(pointer, `cut: ${cut.length} of ${text.length} characters`);
    return keepIfRoom(quoteStorable(cut, pointer), pointer);
  }

  /** @param around - the objects that hold the value, from the context down. */
  function writeValue(value: unknown, pointer: string, around: readonly object[]): string | undefined {
    switch (typeof value) {
      case 'string':
        return writeText(value, pointer);
      case 'object':
        if (value !== null) return writeObject(value, pointer, around);
        break;
      case 'undefined':
        return undefined;
      case 'function':
      case 'symbol':
        return drop(pointer, typeof value);
    }
    const isJson = value === null || typeof value === 'boolean' || Number.isFinite(value);
    return keepIfRoom(isJson ? String(value) : `"${value}"`, pointer);
  }

  function writeObject(value: object, pointer: string, around: readonly object[]): string | undefined {
    const refusal =
      (around.includes(value) && 'cycle') ||
      (around.length >= MAX_DEPTH && 'too deep') ||
      (room < 2 && 'too large') ||
      whyNotWritten(value);
    if (refusal) return drop(pointer, refusal);
    room -= 2;
    return Array.isArray(value)
      ? `[${writeMembers(value, value.keys(), pointer, around)}]`
      : `{${writeMembers(value, Object.keys(value), pointer, around)}}`;
  }

  /** @param keys - of an array, its indexes: an element that can't be written is null, so that the others keep their places. */
  function writeMembers(
    owner: object,
    keys: Iterable<string | number>,
    outer: string,
    around: readonly object[],
  ): string {
    let members = '';
    for (const key of keys) {
      const isElement = typeof key === 'number';
      if (isElement && room < ',null'.length) {
        const { length } = owner as readonly unknown[];
        drop(outer, `too large: ${length - key} of ${length} elements`);
        break;
      }
      const before = room;
      const pointer = pointerTo(outer, `${key}`);
      const name = isElement ? keepIfRoom(',', pointer) : writeName(key, pointer, around);
      const text = name && writeProperty(owner, `${key}`, pointer, [...around, owner]);
      if (text !== undefined) members += name + text;
      else {
        room = before;
        if (isElement) members += keepIfRoom(',null', pointer);
      }
    }
    return members.slice(1);
  }

  function writeName(key: string, pointer: string, around: readonly object[]): string | undefined {
    if (around.length === 0 && (key === AUTHENTICATION_MEMBER || key === DROPPED_MEMBER)) {
      return drop(pointer, 'reserved');
    }
    if (key.length > MAX_TEXT_LENGTH) return drop(pointer, 'too large');
    return keepIfRoom(`,${quoteStorable(key, pointer)}:`, pointer);
  }

  /** Reading a property may run the application's code, and that may throw. */
  function writeProperty(
    owner: object,
    key: string,
    pointer: string,
    around: readonly object[],
  ): string | undefined {
    try {
      return writeValue(jsonValue((owner as Readonly<Record<string, unknown>>)[key], key), pointer, around);
    } catch {
      return drop(pointer, 'error');
    }
  }

  let members = '';
  try {
    members = writeMembers(context, plainFirst(context), '', []);
  } catch {
    drop('', 'error');
  }
  if (dropped > MAX_REPORTS) reports.push(`"":"and ${dropped - MAX_REPORTS} more"`);
  const report = dropped > 0 ? `"${DROPPED_MEMBER}":{${reports}}` : '';
  return `{${members}${members && report && ','}${report}}`;
}

/** Keys of the members that are objects come last: who and why must not give way to a large object. */
function plainFirst(context: object): string[] {
  const own = Object.getOwnPropertyDescriptors(context) as Readonly<Record<string, PropertyDescriptor>>;
  const isNested = (key: string) => Number(isObject(own[key]?.value));
  return Object.keys(context).sort((one, other) => isNested(one) - isNested(other));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function whyNotWritten(value: object): string | undefined {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'binary';
  if (Array.isArray(value) || Object.keys(value).length > 0) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  return Object.prototype.toString.call(value).slice('[object '.length, -1).slice(0, MAX_POINTER_LENGTH);
}

function jsonValue(value: unknown, key: string): unknown {
  if (!isObject(value) || ArrayBuffer.isView(value)) return value;
  const { toJSON } = value as { readonly toJSON?: unknown };
  return typeof toJSON === 'function' ? (toJSON.call(value, key) as unknown) : value;
}

function pointerTo(outer: string, key: string): string {
  const step = key.slice(0, MAX_POINTER_LENGTH).replace(/~/g, '~0').replace(/\//g, '~1');
  return `${outer}/${step}`.slice(0, MAX_POINTER_LENGTH);
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

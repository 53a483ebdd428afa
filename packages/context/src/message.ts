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
const UNSTORABLE = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
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
  let message = messages.get(context);
  if (message === undefined) {
    message = writeMessage(context);
    messages.set(context, message);
  }
  return message;
}

interface Writing {
  /** Characters that may still be written. */
  room: number;
  /** Keys from the top down to the value that is being written. */
  readonly path: string[];
  /** The objects around that value. */
  readonly around: object[];
  readonly reports: string[];
  unreported: number;
}

function writeMessage(context: object): string {
  const writing: Writing = {
    room: MAX_MESSAGE_BYTES - REPORT_BYTES,
    path: [],
    around: [context],
    reports: [],
    unreported: 0,
  };
  const members: string[] = [];
  for (const key of topLevelKeys(context, writing)) {
    if (key === AUTHENTICATION_MEMBER || key === DROPPED_MEMBER) drop(writing, 'reserved', key);
    else writeMember(context, key, members, writing);
  }
  if (writing.unreported > 0) writing.reports.push(`"":"and ${writing.unreported} more"`);
  if (writing.reports.length > 0) members.push(`"${DROPPED_MEMBER}":{${writing.reports.join(',')}}`);
  return `{${members.join(',')}}`;
}

/** Plain values first: who and why must not give way to a large object. */
function topLevelKeys(context: object, writing: Writing): string[] {
  const plain: string[] = [];
  const nested: string[] = [];
  try {
    for (const key of Object.keys(context)) {
      const value: unknown = Object.getOwnPropertyDescriptor(context, key)?.value;
      (typeof value === 'object' && value !== null ? nested : plain).push(key);
    }
  } catch {
    drop(writing, 'error');
  }
  return plain.concat(nested);
}

/** Appends `"key":value` to the members of an object, unless the value is dropped. */
function writeMember(owner: object, key: string, members: string[], writing: Writing): void {
  const name = key.length > MAX_TEXT_LENGTH ? key : `${quote(key.replace(UNSTORABLE, '\ufffd'))}:`;
  const nameRoom = name.length + ','.length;
  if (name === key || nameRoom > writing.room) {
    drop(writing, 'too large', key);
    return;
  }
  writing.room -= nameRoom;
  writing.path.push(key);
  const text = writeProperty(owner, key, writing);
  writing.path.pop();
  if (text === undefined) writing.room += nameRoom;
  else members.push(name + text);
}

/** Reading a property may run the application's code, and that may throw. */
function writeProperty(owner: object, key: string, writing: Writing): string | undefined {
  try {
    return writeValue((owner as Readonly<Record<string, unknown>>)[key], key, writing);
  } catch {
    drop(writing, 'error');
    return undefined;
  }
}

function writeValue(given: unknown, key: string, writing: Writing): string | undefined {
  const value = jsonValue(given, key);
  switch (typeof value) {
    case 'string':
      return keepIfRoom(quote(storable(value, writing)), writing);
    case 'number':
      return keepIfRoom(Number.isFinite(value) ? String(value) : `"${value}"`, writing);
    case 'bigint':
      return keepIfRoom(`"${value}"`, writing);
    case 'boolean':
      return keepIfRoom(String(value), writing);
    case 'object':
      return value === null ? keepIfRoom('null', writing) : writeObject(value, writing);
    case 'undefined':
      return undefined;
    default:
      drop(writing, typeof value);
      return undefined;
  }
}

function jsonValue(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  if (!('toJSON' in value) || typeof value.toJSON !== 'function') return value;
  const replaced: unknown = value.toJSON(key);
  return replaced;
}

function writeObject(value: object, writing: Writing): string | undefined {
  const refusal = whyNotWritten(value, writing);
  if (refusal !== undefined) {
    drop(writing, refusal);
    return undefined;
  }
  writing.room -= 2;
  writing.around.push(value);
  const text = Array.isArray(value) ? writeArray(value, writing) : writeMembers(value, writing);
  writing.around.pop();
  return text;
}

function whyNotWritten(value: object, writing: Writing): string | undefined {
  if (writing.around.includes(value)) return 'cycle';
  if (writing.around.length >= MAX_DEPTH) return 'too deep';
  if (writing.room < 2) return 'too large';
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return 'binary';
  if (!Array.isArray(value) && Object.keys(value).length === 0) return classWithoutMembers(value);
  return undefined;
}

function classWithoutMembers(value: object): string | undefined {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return undefined;
  return Object.prototype.toString.call(value).slice('[object '.length, -1).slice(0, MAX_POINTER_LENGTH);
}

function writeMembers(value: object, writing: Writing): string {
  const members: string[] = [];
  for (const key of Object.keys(value)) writeMember(value, key, members, writing);
  return `{${members.join(',')}}`;
}

/** An element that can't be written is null: the others keep their places. */
function writeArray(value: readonly unknown[], writing: Writing): string {
  const elements: string[] = [];
  for (let index = 0; index < value.length; index++) {
    if (writing.room < '"",'.length) {
      drop(writing, `too large: ${value.length - index} of ${value.length} elements`);
      break;
    }
    writing.room -= 1;
    writing.path.push(String(index));
    elements.push(writeProperty(value, String(index), writing) ?? 'null');
    writing.path.pop();
  }
  return `[${elements.join(',')}]`;
}

function keepIfRoom(text: string, writing: Writing): string | undefined {
  if (text.length > writing.room) {
    drop(writing, 'too large');
    return undefined;
  }
  writing.room -= text.length;
  return text;
}

function storable(value: string, writing: Writing): string {
  const cut = value.length > MAX_TEXT_LENGTH ? withoutHalfPair(value.slice(0, MAX_TEXT_LENGTH)) : value;
  if (cut !== value) drop(writing, `cut: ${cut.length} of ${value.length} characters`);
  const clean = cut.replace(UNSTORABLE, '\ufffd');
  if (clean !== cut) drop(writing, 'NUL or half a surrogate pair, now U+FFFD');
  return clean;
}

/** A cut may go through a surrogate pair; that is no fault of the application's to report. */
function withoutHalfPair(cut: string): string {
  return /[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut;
}

function drop(writing: Writing, reason: string, key?: string): void {
  if (writing.reports.length >= MAX_REPORTS) {
    writing.unreported++;
    return;
  }
  const path = key === undefined ? writing.path : [...writing.path, key];
  const pointer = path.map(
    (step) => `/${step.slice(0, MAX_POINTER_LENGTH).replace(/~/g, '~0').replace(/\//g, '~1')}`,
  );
  const shown = withoutHalfPair(pointer.join('').slice(0, MAX_POINTER_LENGTH)).replace(UNSTORABLE, '\ufffd');
  writing.reports.push(`${quote(shown)}:${quote(reason)}`);
}

function quote(text: string): string {
  return `"${text.replace(TO_ESCAPE, escapeCodeUnit)}"`;
}

function escapeCodeUnit(unit: string): string {
  if (unit === '"' || unit === '\\') return `\\${unit}`;
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

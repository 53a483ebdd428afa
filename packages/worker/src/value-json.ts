import type { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';
import { isJsonTooDeep, type JsonPoison, mayBeTooDeep } from './json-poison.ts';
import { writeByte, writeJsonString, writeRaw } from './json-text.ts';
import type { CompositeField, TypeEncoding } from './type-encoding.ts';

const ascii = (character: string) => character.charCodeAt(0);
const nullText = Buffer.from('null');
const trueText = Buffer.from('true');
const falseText = Buffer.from('false');
const offsetMinutes = Buffer.from(':00');
const comma = ascii(',');
const openBracket = ascii('[');
const closeBracket = ascii(']');
const openBrace = ascii('{');
const closeBrace = ascii('}');
const openParenthesis = ascii('(');
const closeParenthesis = ascii(')');
const quote = ascii('"');
const backslash = ascii('\\');
const space = ascii(' ');

/**
 * A value that can't stand in the log: its text is not what PostgreSQL prints for its type (the catalog was read at
 * another time than the row was written), or `jsonb` would reject it.
 */
export class ValueFormError extends Error {
  override readonly name = 'ValueFormError';
  readonly reason: JsonPoison | 'unreadable-value';
  constructor(message: string, reason: JsonPoison | 'unreadable-value' = 'unreadable-value') {
    super(message);
    this.reason = reason;
  }
}

/** How a value is written: by its type, or as the text that takes its place. */
export type ValueEncoding = TypeEncoding | { readonly replaced: (bytes: Uint8Array) => Uint8Array };

/** Appends the JSON of a value that PostgreSQL printed as `bytes[start, end)`. */
export function writeValue(
  out: CopyBuffer,
  encoding: ValueEncoding,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (typeof encoding === 'string') {
    switch (encoding) {
      case 'text':
        writeJsonString(out, bytes, start, end);
        return;
      case 'number':
        if (isBareNumber(bytes, start, end)) writeRaw(out, bytes, start, end);
        else writeJsonString(out, bytes, start, end);
        return;
      case 'boolean': {
        const text = bytes[start] === ascii('t') ? trueText : falseText;
        writeRaw(out, text, 0, text.length);
        return;
      }
      case 'json':
        writeRaw(out, bytes, start, end);
        return;
      case 'jsonb':
        // The source may allow its jsonb deeper nesting than the audit database can read.
        if (mayBeTooDeep(end - start) && isJsonTooDeep(bytes, start, end))
          throw new ValueFormError('JSON is nested too deep', 'too-deep');
        writeRaw(out, bytes, start, end);
        return;
      case 'timestamp':
      case 'timestamptz':
        writeTimestamp(out, bytes, start, end, encoding === 'timestamptz');
        return;
      case 'hstore':
        writeHstore(out, bytes, start, end);
        return;
    }
  }
  if ('array' in encoding) writeArray(out, encoding.array, ascii(encoding.delimiter), bytes, start, end);
  else if ('vector' in encoding) writeVector(out, encoding.vector, bytes, start, end);
  else if ('composite' in encoding) writeComposite(out, encoding.composite, bytes, start, end);
  else {
    const text = encoding.replaced(bytes.subarray(start, end));
    writeJsonString(out, text, 0, text.length);
  }
}

/** JSON has no NaN and no infinities; PostgreSQL's to_jsonb quotes them. */
function isBareNumber(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start]!;
  const digit = first === ascii('-') && start + 1 < end ? bytes[start + 1]! : first;
  return digit >= ascii('0') && digit <= ascii('9');
}

/** `2020-01-02 03:04:05+00` becomes `2020-01-02T03:04:05+00:00`; `infinity` stays, and ` BC` stays behind. */
function writeTimestamp(
  out: CopyBuffer,
  bytes: Uint8Array,
  start: number,
  end: number,
  hasZone: boolean,
): void {
  let gap = start;
  while (gap < end && bytes[gap] !== space) gap++;
  if (gap === end) {
    writeJsonString(out, bytes, start, end);
    return;
  }
  writeByte(out, quote);
  writeRaw(out, bytes, start, gap);
  writeByte(out, ascii('T'));
  let timeEnd = gap + 1;
  while (timeEnd < end && bytes[timeEnd] !== space) timeEnd++;
  writeRaw(out, bytes, gap + 1, timeEnd);
  // The session's time zone is UTC, so the offset is always printed as +00.
  if (hasZone) writeRaw(out, offsetMinutes, 0, offsetMinutes.length);
  writeRaw(out, bytes, timeEnd, end);
  writeByte(out, quote);
}

/** https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function writeArray(
  out: CopyBuffer,
  element: TypeEncoding,
  delimiter: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let at = start;
  // Bounds other than 1, as in [0:2]={…}, have no place in JSON; to_jsonb drops them too.
  if (bytes[at] === openBracket) {
    while (at < end && bytes[at] !== ascii('=')) at++;
    at++;
  }
  let depth = 0;
  for (;;) {
    if (at >= end) throw new ValueFormError('An array ends early');
    const byte = bytes[at]!;
    if (byte === openBrace) {
      writeByte(out, openBracket);
      depth++;
      at++;
    } else if (byte === closeBrace) {
      writeByte(out, closeBracket);
      at++;
      if (--depth === 0) break;
    } else if (byte === delimiter) {
      writeByte(out, comma);
      at++;
    } else if (depth === 0) {
      throw new ValueFormError('An array does not begin with a brace');
    } else if (byte === quote) {
      const text = unescaped(bytes, at + 1, end, false);
      writeValue(out, element, text.bytes, 0, text.bytes.length);
      at = text.end;
    } else {
      const from = at;
      while (at < end && bytes[at] !== delimiter && bytes[at] !== closeBrace) at++;
      if (isNullWord(bytes, from, at)) writeRaw(out, nullText, 0, nullText.length);
      else writeValue(out, element, bytes, from, at);
    }
  }
  if (at !== end) throw new ValueFormError('Something follows an array');
}

function writeVector(
  out: CopyBuffer,
  element: TypeEncoding,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  writeByte(out, openBracket);
  for (let at = start; at < end; ) {
    let next = at;
    while (next < end && bytes[next] !== space) next++;
    if (at > start) writeByte(out, comma);
    writeValue(out, element, bytes, at, next);
    at = next + 1;
  }
  writeByte(out, closeBracket);
}

/** https://www.postgresql.org/docs/current/rowtypes.html#ROWTYPES-IO-SYNTAX */
function writeComposite(
  out: CopyBuffer,
  fields: readonly CompositeField[],
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (bytes[start] !== openParenthesis)
    throw new ValueFormError('A composite value does not begin with a parenthesis');
  writeByte(out, openBrace);
  const names = fieldNames(fields);
  let at = start + 1;
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!;
    if (index > 0) {
      if (bytes[at] !== comma) throw new ValueFormError('A composite value has too few fields');
      at++;
      writeByte(out, comma);
    }
    const name = names[index]!;
    writeRaw(out, name, 0, name.length);
    const byte = bytes[at];
    if (byte === quote) {
      const text = unescaped(bytes, at + 1, end, true);
      writeValue(out, field.encoding, text.bytes, 0, text.bytes.length);
      at = text.end;
    } else {
      const from = at;
      while (at < end && bytes[at] !== comma && bytes[at] !== closeParenthesis) at++;
      // Nothing at all is NULL; an empty text is "".
      if (at === from) writeRaw(out, nullText, 0, nullText.length);
      else writeValue(out, field.encoding, bytes, from, at);
    }
  }
  if (bytes[at] !== closeParenthesis || at + 1 !== end)
    throw new ValueFormError('A composite value has too many fields');
  writeByte(out, closeBrace);
}

/** `"name":` for each field. An encoding is data of the log's format; what is derived from it stands here. */
const fieldNameCache = new WeakMap<readonly CompositeField[], readonly Buffer[]>();

function fieldNames(fields: readonly CompositeField[]): readonly Buffer[] {
  let names = fieldNameCache.get(fields);
  if (!names) {
    names = fields.map((field) => Buffer.from(`${JSON.stringify(field.name)}:`));
    fieldNameCache.set(fields, names);
  }
  return names;
}

/**
 * `"key"=>"value", "other"=>NULL` becomes an object of texts, as hstore's cast to json makes it.
 * https://www.postgresql.org/docs/current/hstore.html#HSTORE-EXTERNAL-REP
 */
function writeHstore(out: CopyBuffer, bytes: Uint8Array, start: number, end: number): void {
  writeByte(out, openBrace);
  let at = start;
  while (at < end) {
    if (at > start) {
      at = expectBytes(bytes, at, ', ');
      writeByte(out, comma);
    }
    const key = unescaped(bytes, expectBytes(bytes, at, '"'), end, false);
    writeJsonString(out, key.bytes, 0, key.bytes.length);
    writeByte(out, ascii(':'));
    at = expectBytes(bytes, key.end, '=>');
    if (bytes[at] === quote) {
      const value = unescaped(bytes, at + 1, end, false);
      writeJsonString(out, value.bytes, 0, value.bytes.length);
      at = value.end;
    } else {
      at = expectBytes(bytes, at, 'NULL');
      writeRaw(out, nullText, 0, nullText.length);
    }
  }
  writeByte(out, closeBrace);
}

/** The position behind the text that must stand here. */
function expectBytes(bytes: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    if (bytes[at + i] !== text.charCodeAt(i)) throw new ValueFormError(`An hstore has no ${text} here`);
  }
  return at + text.length;
}

/** Reads a quoted part from behind its opening quote. `end` is the position behind the closing one. */
function unescaped(
  bytes: Uint8Array,
  start: number,
  end: number,
  isQuoteDoubled: boolean,
): { bytes: Uint8Array; end: number } {
  let at = start;
  while (at < end && bytes[at] !== quote && bytes[at] !== backslash) at++;
  if (bytes[at] === quote && !(isQuoteDoubled && bytes[at + 1] === quote)) {
    return { bytes: bytes.subarray(start, at), end: at + 1 }; // nothing is escaped: no copy
  }
  const text = Buffer.allocUnsafe(end - start);
  let length = 0;
  for (at = start; at < end; at++) {
    let byte = bytes[at]!;
    if (byte === quote) {
      if (!isQuoteDoubled || bytes[at + 1] !== quote) return { bytes: text.subarray(0, length), end: at + 1 };
      at++;
    } else if (byte === backslash) {
      byte = bytes[++at]!;
    }
    text[length++] = byte;
  }
  throw new ValueFormError('A quoted part is not closed');
}

function isNullWord(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start === 4 &&
    (bytes[start]! | 0x20) === ascii('n') &&
    (bytes[start + 1]! | 0x20) === ascii('u') &&
    (bytes[start + 2]! | 0x20) === ascii('l') &&
    (bytes[start + 3]! | 0x20) === ascii('l')
  );
}

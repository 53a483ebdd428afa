/**
 * What PostgreSQL's `json` type accepts and `jsonb` does not: NUL as an escape, lone surrogates, numbers beyond
 * `numeric`. Only columns of type json and contexts can hold these. Nesting that exhausts the server's stack, and
 * texts of which `jsonb` would make more than 256 MB, may also come from other columns.
 *
 * Limits of numeric: https://www.postgresql.org/docs/current/datatype-numeric.html
 */
export type JsonPoison = 'null-character' | 'lone-surrogate' | 'number-overflow' | 'too-deep' | 'too-large';

const quote = 0x22;
const backslash = 0x5c;
const letterU = 0x75;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const comma = 0x2c;
const colon = 0x3a;
/**
 * A server with the default max_stack_depth of 2 MB reads and converts 16,300 levels (PostgreSQL 18, x64; 128 bytes of
 * stack for each). Others need more stack, and their own stack may be smaller: the margin is wide on purpose.
 */
export const maximumDepth = 5_000;
/** What one array, object or string of a jsonb value may take (JENTRY_OFFLENMASK). */
const maximumJsonbBytes = 0x0fff_ffff;
/** At most what an element takes besides the bytes of its text: its entry, a header, padding. */
const elementOverhead = 16;
const maximumScale = 16_383;
/**
 * A larger exponent is an error whatever it belongs to (PG_INT32_MAX / 2, in set_var_from_str). PostgreSQL 16 and later
 * also take 1,073,741,823, which makes a difference for zero alone; the audit database may be an older one.
 */
const maximumExponent = 1_073_741_822;
/** Digits before the decimal point that fit, in groups of four: 32,768 of them. */
const maximumDigitsBeforePoint = 131_072;

/** Looks for all of it in JSON text that is otherwise valid. */
export function findJsonPoison(bytes: Uint8Array, start: number, end: number): JsonPoison | undefined {
  let depth = 0;
  for (let at = start; at < end; ) {
    const byte = bytes[at]!;
    if (byte === quote) {
      const result = scanString(bytes, at + 1, end);
      if (typeof result === 'string') return result;
      at = result;
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      const from = at;
      while (at < end && isNumberByte(bytes[at]!)) at++;
      // Short numbers without an exponent are the rule, and always fit.
      if (isOverflow(bytes, from, at)) return 'number-overflow';
    } else {
      if (byte === openBracket || byte === openBrace) {
        if (++depth > maximumDepth) return 'too-deep';
      } else if (byte === closeBracket || byte === closeBrace) {
        depth--;
      }
      at++;
    }
  }
  return isJsonTooLarge(bytes, start, end) ? 'too-large' : undefined;
}

/** Whether JSON text of this length has room for too many levels; if not, it need not be looked at. */
export function mayBeTooDeep(length: number): boolean {
  return length > 2 * maximumDepth;
}

export function isJsonTooDeep(bytes: Uint8Array, start: number, end: number): boolean {
  let depth = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === quote) at = stringEnd(bytes, at + 1, end);
    else if (byte === openBracket || byte === openBrace) {
      if (++depth > maximumDepth) return true;
    } else if (byte === closeBracket || byte === closeBrace) depth--;
  }
  return false;
}

/**
 * Whether `jsonb` may have no room for a JSON text. An upper bound: a text that fits may be called too large, where
 * it has millions of small elements. Costs nothing for texts of up to 22 MB.
 */
export function isJsonTooLarge(bytes: Uint8Array, start: number, end: number): boolean {
  let size = end - start;
  // `[],` is the densest: three bytes, counted as two elements.
  if (size * 12 <= maximumJsonbBytes) return false;
  for (let at = start; at < end && size <= maximumJsonbBytes; at++) {
    const byte = bytes[at]!;
    if (byte === quote) at = stringEnd(bytes, at + 1, end);
    else if (byte === comma || byte === colon || byte === openBracket || byte === openBrace)
      size += elementOverhead;
  }
  return size > maximumJsonbBytes;
}

/** Position of the closing quote. */
function stringEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

/** Position behind the string's closing quote, or what is wrong in it. */
function scanString(bytes: Uint8Array, start: number, end: number): number | JsonPoison {
  let at = start;
  while (at < end && bytes[at] !== quote) {
    if (bytes[at] !== backslash) {
      at++;
    } else if (bytes[at + 1] !== letterU) {
      at += 2;
    } else {
      const unit = hexUnit(bytes, at + 2);
      at += 6;
      if (unit === 0) return 'null-character';
      if (unit >= 0xdc00 && unit <= 0xdfff) return 'lone-surrogate';
      if (unit >= 0xd800 && unit <= 0xdbff) {
        const isPair = bytes[at] === backslash && bytes[at + 1] === letterU;
        const low = isPair ? hexUnit(bytes, at + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff) return 'lone-surrogate';
        at += 6;
      }
    }
  }
  return at + 1;
}

function hexUnit(bytes: Uint8Array, at: number): number {
  let unit = 0;
  for (let i = at; i < at + 4; i++) {
    const byte = bytes[i] ?? 0;
    unit = unit * 16 + (byte <= 0x39 ? byte - 0x30 : (byte | 0x20) - 0x57);
  }
  return unit;
}

function isNumberByte(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    (byte | 0x20) === 0x65
  );
}

function isOverflow(bytes: Uint8Array, start: number, end: number): boolean {
  let at = start;
  if (bytes[at] === 0x2d) at++;
  let digitsBefore = 0;
  let digitsAfter = 0;
  let firstNonZero = -1; // counted in digits from the first one
  let isBehindPoint = false;
  for (; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2e) {
      isBehindPoint = true;
    } else if (byte >= 0x30 && byte <= 0x39) {
      if (byte !== 0x30 && firstNonZero < 0) firstNonZero = digitsBefore + digitsAfter;
      if (isBehindPoint) digitsAfter++;
      else digitsBefore++;
    } else {
      break;
    }
  }
  let exponent = 0;
  if (at < end) exponent = Number(Buffer.from(bytes.subarray(at + 1, end)).toString('latin1'));
  const scale = digitsAfter - exponent;
  if (scale > maximumScale || Math.abs(exponent) > maximumExponent) return true;
  return firstNonZero >= 0 && digitsBefore + exponent - firstNonZero > maximumDigitsBeforePoint;
}

/**
 * Finds what PostgreSQL's `json` type accepts and `jsonb` does not, in JSON text that is otherwise valid: NUL as
 * an escape, lone surrogates, numbers beyond `numeric`. Only columns of type json and contexts can hold these.
 *
 * Limits of numeric: https://www.postgresql.org/docs/current/datatype-numeric.html
 */
export type JsonPoison = 'null-character' | 'lone-surrogate' | 'number-overflow';

const quote = 0x22;
const backslash = 0x5c;
const letterU = 0x75;
const maximumScale = 16_383;
/** Digits before the decimal point that fit, in groups of four: 32,768 of them. */
const maximumDigitsBeforePoint = 131_072;

export function findJsonPoison(bytes: Uint8Array, start: number, end: number): JsonPoison | undefined {
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
      at++;
    }
  }
  return undefined;
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
  if (scale > maximumScale || Math.abs(exponent) > 1_000_000_000) return true;
  return firstNonZero >= 0 && digitsBefore + exponent - firstNonZero > maximumDigitsBeforePoint;
}

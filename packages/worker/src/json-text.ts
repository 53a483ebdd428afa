import type { CopyBuffer } from '@bemi-db/trail/append/copy-buffer';

const quote = 0x22; // '"'
const backslash = 0x5c; // '\'
const hexDigits = Buffer.from('0123456789abcdef');
/** Second byte of the two-byte escapes; 0 where a control character needs \u00XX. */
const shortEscapes = new Uint8Array(0x20);
shortEscapes[0x08] = 0x62; // \b
shortEscapes[0x09] = 0x74; // \t
shortEscapes[0x0a] = 0x6e; // \n
shortEscapes[0x0c] = 0x66; // \f
shortEscapes[0x0d] = 0x72; // \r
/** A control character takes six bytes as \u00XX. */
const longestEscape = 6;
/** Longer texts are measured before room is made, shorter ones get room for the worst case. */
const measuredLength = 1024;
/** Longer runs are copied by the system, shorter ones in a loop, which is faster. */
const loopedLength = 48;

/** Appends UTF-8 bytes as a JSON string, quotes included. */
export function writeJsonString(out: CopyBuffer, source: Uint8Array, start: number, end: number): void {
  const length = end - start;
  const room = length > measuredLength ? escapedLength(source, start, end) : length * longestEscape;
  out.reserve(room + 2);
  const target = out.bytes;
  let at = out.length;
  target[at++] = quote;
  if (room === length) {
    target.set(source.subarray(start, end), at); // long, and nothing to escape
    at += length;
  } else {
    for (let i = start; i < end; i++) {
      const byte = source[i]!;
      if (byte >= 0x20 && byte !== quote && byte !== backslash) {
        target[at++] = byte;
      } else if (byte >= 0x20) {
        target[at++] = backslash;
        target[at++] = byte;
      } else {
        target[at++] = backslash;
        const short = shortEscapes[byte]!;
        if (short !== 0) {
          target[at++] = short;
        } else {
          target[at++] = 0x75; // 'u'
          target[at++] = 0x30;
          target[at++] = 0x30;
          target[at++] = hexDigits[byte >> 4]!;
          target[at++] = hexDigits[byte & 15]!;
        }
      }
    }
  }
  target[at++] = quote;
  out.length = at;
}

function escapedLength(source: Uint8Array, start: number, end: number): number {
  let length = end - start;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    if (byte < 0x20) length += shortEscapes[byte] !== 0 ? 1 : longestEscape - 1;
    else if (byte === quote || byte === backslash) length += 1;
  }
  return length;
}

/** Appends bytes as they are: JSON that needs no change, a number. */
export function writeRaw(out: CopyBuffer, source: Uint8Array, start: number, end: number): void {
  const length = end - start;
  out.reserve(length);
  const target = out.bytes;
  let at = out.length;
  if (length > loopedLength) {
    target.set(source.subarray(start, end), at);
    at += length;
  } else {
    for (let i = start; i < end; i++) target[at++] = source[i]!;
  }
  out.length = at;
}

export function writeByte(out: CopyBuffer, byte: number): void {
  out.reserve(1);
  out.bytes[out.length++] = byte;
}

// Base64 of RFC 4648, section 4, by hand: Node 20 and many browsers have no Uint8Array.fromBase64 yet, and their
// other decoders accept what the formats here forbid (spaces, missing padding, stray bits).

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const VALUES = new Int8Array(128).fill(-1);
for (let i = 0; i < ALPHABET.length; i++) VALUES[ALPHABET.charCodeAt(i)] = i;

/** Base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    parts.push(
      ALPHABET[group >> 18]! +
        ALPHABET[(group >> 12) & 63] +
        (left > 1 ? ALPHABET[(group >> 6) & 63] : '=') +
        (left > 2 ? ALPHABET[group & 63] : '='),
    );
  }
  return parts.join('');
}

/** The bytes, or undefined where the text isn't base64 exactly as {@link encodeBase64} writes it. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  for (let i = 0; i < text.length; i += 4) {
    const characters = i + 4 === text.length ? 4 - padding : 4;
    let group = 0;
    for (let k = 0; k < 4; k++) {
      const code = text.charCodeAt(i + k);
      const value = k >= characters ? 0 : code < 128 ? VALUES[code]! : -1;
      if (value < 0) return undefined;
      group = (group << 6) | value;
    }
    // Bits that padding leaves over must be 0: there is one text for given bytes.
    if (characters === 3 && (group & 0xff) !== 0) return undefined;
    if (characters === 2 && (group & 0xffff) !== 0) return undefined;
    for (let k = 0; k < characters - 1; k++) bytes[at++] = (group >> (16 - 8 * k)) & 0xff;
  }
  return bytes;
}

/**
 * What makes a context authentic, found in its bytes.
 *
 * @see docs/spec/context-message.md, "Authentic contexts"
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** A context's last member, in the exact form. */
export interface ContextSignature {
  readonly keyId: string;
  /** As it is written. */
  readonly time: string;
  readonly nonce: string;
  readonly hmac: string;
}

const domain = 'bemi context v1';
const exactForm =
  /^"_bemi":\{"v":1,"key":"([A-Za-z0-9]{8})","time":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","nonce":"([\w-]{22})","hmac":"([\w-]{43})"\}\}$/;

/** Bytes, and characters, of the exact form. */
export const signatureLength = 153;
const comma = 0x2c;
const openBrace = 0x7b;

/** The signature that a text ends with, in the exact form; whatever goes before. */
export function parseSignature(end: string): ContextSignature | undefined {
  const [, keyId, time, nonce, hmac] = exactForm.exec(end) ?? [];
  if (keyId === undefined || time === undefined || nonce === undefined || hmac === undefined)
    return undefined;
  return { keyId, time, nonce, hmac };
}

/**
 * The signature of a context, if it has one.
 *
 * @param text - a JSON object. That it is valid is a condition: the first quotation mark of the exact form, after a comma
 *   or a brace, then begins the name of a member, and the last brace closes the object at the top.
 */
export function findSignature(text: Buffer): ContextSignature | undefined {
  const start = text.length - signatureLength;
  if (start < 1 || (text[start - 1] !== comma && text[start - 1] !== openBrace)) return undefined;
  return parseSignature(text.toString('latin1', start));
}

/** Whether the HMAC of a context is that of a key and a database. */
export function isSignedWith(
  text: Buffer,
  { keyId, time, nonce, hmac }: ContextSignature,
  apiKey: string,
  database: Buffer,
): boolean {
  const bodyLength = text.length - signatureLength;
  const texts = [domain, keyId, time, nonce];
  let length = 4 + database.length + 4 + bodyLength;
  for (const field of texts) length += 4 + field.length;
  const input = Buffer.allocUnsafe(length);
  let at = 0;
  for (const field of texts) {
    at = input.writeUInt32BE(field.length, at);
    at += input.write(field, at, 'latin1'); // all of these are ASCII
  }
  at = input.writeUInt32BE(database.length, at);
  at += database.copy(input, at);
  at = input.writeUInt32BE(bodyLength, at);
  text.copy(input, at, 0, bodyLength);
  // One update: ten cost more than the hash.
  const expected = createHmac('sha256', apiKey).update(input).digest('base64url');
  return timingSafeEqual(Buffer.from(expected, 'latin1'), Buffer.from(hmac, 'latin1'));
}

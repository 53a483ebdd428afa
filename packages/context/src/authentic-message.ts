/**
 * An authentic context: a message whose last member says who wrote it, for which database, and when, so that other
 * roles of the database, which can write messages too, can't speak in the application's name.
 *
 * @see docs/spec/context-message.md, "Authentic contexts"
 */
import { createHmac, randomFillSync } from 'node:crypto';
import { bytesOf, int32 } from './frontend-messages.ts';
import { AUTHENTICATION_MEMBER } from './message.ts';
import { warnOnce } from './warning.ts';

/** What wrapping a pool or a client may be told about authentic contexts. */
export interface SigningOptions {
  /**
   * The key by which contexts are authentic, as `bemi keys create` shows it. Default: `BEMI_API_KEY`, as it is when the
   * first client is wrapped. `false`: none.
   */
  readonly apiKey?: string | false;
}

/** Makes a message of a context an authentic one. It never throws. */
export type SignMessage = (message: string, database: string) => string;

/** What an authentic message says of itself, besides the HMAC. */
export interface MessageSignature {
  readonly database: string;
  readonly time: Date;
  /** 16 random bytes as 22 characters of base64url. */
  readonly nonce: string;
}

/** Begins the fields of the HMAC. */
const DOMAIN = 'bemi context v1';

/** `bemi_sk_`, the key's id of 8 characters, and 24 more that nobody else knows. */
const API_KEY = /^bemi_sk_[A-Za-z0-9]{32}$/;
const ID_START = 'bemi_sk_'.length;
const ID_LENGTH = 8;

const NONCE_BYTES = 16;
const NONCES_AT_ONCE = 256;

/**
 * The message with its last member, which holds for one database and is to be sent once.
 *
 * @param message - a JSON object, as `contextMessage` writes it.
 * @param apiKey - `bemi_sk_` and 32 characters.
 * @example
 * signMessage('{"userId":"42"}', apiKey, { database: 'app', time: new Date(), nonce });
 * // {"userId":"42","_bemi":{"v":1,"key":"Yq3vB7Rk","time":"2026-11-22T08:49:08.123Z","nonce":"…","hmac":"…"}}
 */
export function signMessage(message: string, apiKey: string, signature: MessageSignature): string {
  const body = message === '{}' ? '{' : `${message.slice(0, -1)},`;
  const id = apiKey.slice(ID_START, ID_START + ID_LENGTH);
  const time = signature.time.toISOString();
  const { nonce, database } = signature;
  const hmac = createHmac('sha256', apiKey);
  hmac.update(fields([DOMAIN, id, time, nonce, database, body]));
  const member = `{"v":1,"key":"${id}","time":"${time}","nonce":"${nonce}","hmac":"${hmac.digest('base64url')}"}`;
  return `${body}"${AUTHENTICATION_MEMBER}":${member}}`;
}

/** Each text as its length in bytes (32 bits, big-endian) and its bytes in UTF-8: no two lists have the same bytes. */
function fields(texts: readonly string[]): Buffer {
  return bytesOf(
    texts.map((text) => int32(Buffer.byteLength(text)) + Buffer.from(text).toString('latin1')).join(''),
  );
}

/**
 * What signs the messages of a client; undefined where there is no key, or none that can be used: then Node's warning
 * `BEMI_API_KEY_MALFORMED` says so, once, and contexts are sent without.
 */
export function messageSigner({ apiKey }: SigningOptions): SignMessage | undefined {
  fromEnvironment ??= process.env['BEMI_API_KEY'] ?? '';
  const key = apiKey ?? fromEnvironment;
  if (key === false || key === '') return undefined;
  if (!API_KEY.test(key)) {
    // The key is a secret, also where it is mistyped: it is not said.
    warnOnce(
      'BEMI_API_KEY_MALFORMED',
      'Contexts are recorded as unsigned: BEMI_API_KEY is no key of Bemi.',
      'Fix: take the whole key, as `bemi keys create` shows it.',
    );
    return undefined;
  }
  return (message, database) => {
    try {
      return signMessage(message, key, { database, time: new Date(), nonce: nextNonce() });
    } catch {
      // The application's write must not fail for it: the context goes without.
      return message;
    }
  };
}

let fromEnvironment: string | undefined;

const nonces = Buffer.allocUnsafe(NONCE_BYTES * NONCES_AT_ONCE);
let nextNonceAt = 0;

/** Random bytes are drawn for many nonces at once: drawing them for each took as long as the HMAC. */
function nextNonce(): string {
  if (nextNonceAt === 0) randomFillSync(nonces);
  const end = nextNonceAt + NONCE_BYTES;
  const nonce = nonces.toString('base64url', nextNonceAt, end);
  nextNonceAt = end % nonces.length;
  return nonce;
}

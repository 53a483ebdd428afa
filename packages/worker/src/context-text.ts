import { isAscii } from 'node:buffer';
import { AUTHENTICATION_MEMBER } from '@bemi-db/context/message';
import { findJsonPoison } from './json-poison.ts';

/** A context as it will be stored, or why it can't be. */
export type ContextText =
  | {
      readonly text: Buffer;
      readonly reason: undefined;
      /** Whether it has the member `_bemi` at its top: it claims to be authentic. */
      readonly claims: boolean;
    }
  | { readonly text: undefined; readonly reason: string };

/** PostgreSQL's server encodings that `TextDecoder` reads the same way, and under which name. */
const decoderNames: Record<string, string> = {
  UTF8: 'utf-8',
  SQL_ASCII: 'utf-8', // no encoding at all: whatever clients sent, and today's send UTF-8
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN6: 'iso-8859-10',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  ISO_8859_5: 'iso-8859-5',
  ISO_8859_6: 'iso-8859-6',
  ISO_8859_7: 'iso-8859-7',
  ISO_8859_8: 'iso-8859-8',
  KOI8R: 'koi8-r',
  KOI8U: 'koi8-u',
  WIN866: 'ibm866',
  WIN874: 'windows-874',
  WIN1250: 'windows-1250',
  WIN1251: 'windows-1251',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
};

/**
 * Encodings that differ from Latin-1 in a few characters: what Latin-1 has, and what stands there instead.
 * `TextDecoder` has not all of them, and reads windows-1252 as Latin-1 in some versions of Node.
 */
const latin1Variants: Record<string, readonly [characters: string, instead: string]> = {
  LATIN1: ['', ''],
  LATIN5: ['ÐÝÞðýþ', 'ĞİŞğış'],
  LATIN10: ['¡¢£¤¥¦¨ª¬®¯²³´µ¸¹º¼½¾¿ÃÅÐÑÕ×ØÝÞãåðñõ÷øýþ', 'ĄąŁ€„ŠšȘŹźŻČłŽ”žčșŒœŸżĂĆĐŃŐŚŰĘȚăćđńőśűęț'],
  WIN1252: [
    '\u0080\u0082\u0083\u0084\u0085\u0086\u0087\u0088\u0089\u008a\u008b\u008c\u008e' +
      '\u0091\u0092\u0093\u0094\u0095\u0096\u0097\u0098\u0099\u009a\u009b\u009c\u009e\u009f',
    '€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ',
  ],
};

/**
 * Makes a reader for the content of context messages. It stands in the WAL in the server's encoding, unconverted;
 * the clients of this project write ASCII only, others may not. What is not a JSON object that `jsonb` accepts
 * goes into quarantine: one application's mistake must not stop the log.
 */
export function contextReader(serverEncoding: string): (content: Buffer) => ContextText {
  const decode = textDecoder(serverEncoding);
  return (content) => {
    const text = decode(content);
    if (text === undefined) return { text: undefined, reason: `no text in the encoding ${serverEncoding}` };
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return { text: undefined, reason: 'not JSON' };
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return { text: undefined, reason: 'not a JSON object' };
    }
    const bytes = Buffer.from(text, 'utf8');
    const poison = findJsonPoison(bytes, 0, bytes.length);
    if (poison) return { text: undefined, reason: poison };
    return { text: bytes, reason: undefined, claims: Object.hasOwn(value, AUTHENTICATION_MEMBER) };
  };
}

/** A function that gives `undefined` for what is not text in an encoding, or can't be read here. */
export function textDecoder(serverEncoding: string): (content: Buffer) => string | undefined {
  const decode = nonAsciiDecoder(serverEncoding);
  // ASCII is ASCII in every encoding of a server.
  return (content) => (isAscii(content) ? content.toString('latin1') : decode(content));
}

function nonAsciiDecoder(serverEncoding: string): (content: Buffer) => string | undefined {
  const variant = latin1Variants[serverEncoding];
  if (variant) return latin1Decoder(...variant);
  const name = decoderNames[serverEncoding];
  // EUC_CN, EUC_TW, EUC_JIS_2004, MULE_INTERNAL: a decoder that is almost right would be wrong in silence.
  if (name === undefined) return () => undefined;
  const decoder = new TextDecoder(name, { fatal: true, ignoreBOM: true });
  return (content) => {
    try {
      return decoder.decode(content);
    } catch {
      return undefined;
    }
  };
}

function latin1Decoder(characters: string, instead: string): (content: Buffer) => string {
  const replacements = new Map([...characters].map((character, i) => [character, instead[i]!]));
  const pattern = new RegExp(`[${characters}]`, 'g');
  return (content) => {
    const text = content.toString('latin1');
    if (replacements.size === 0) return text;
    return text.replace(pattern, (character) => replacements.get(character)!);
  };
}

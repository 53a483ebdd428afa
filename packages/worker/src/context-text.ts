import { findJsonPoison } from './json-poison.ts';

/** A context as it will be stored, or why it can't be. */
export type ContextText =
  | { readonly text: Buffer; readonly reason: undefined }
  | { readonly text: undefined; readonly reason: string };

/** Names of PostgreSQL's server encodings for `TextDecoder`, where the two mean the same. */
const decoderNames: Record<string, string> = {
  LATIN2: 'iso-8859-2',
  LATIN3: 'iso-8859-3',
  LATIN4: 'iso-8859-4',
  LATIN7: 'iso-8859-13',
  LATIN8: 'iso-8859-14',
  LATIN9: 'iso-8859-15',
  LATIN10: 'iso-8859-16',
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
  WIN1252: 'windows-1252',
  WIN1253: 'windows-1253',
  WIN1254: 'windows-1254',
  WIN1255: 'windows-1255',
  WIN1256: 'windows-1256',
  WIN1257: 'windows-1257',
  WIN1258: 'windows-1258',
  EUC_JP: 'euc-jp',
  EUC_KR: 'euc-kr',
  EUC_CN: 'gbk',
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
    if (text === undefined) return { text: undefined, reason: `not valid in the encoding ${serverEncoding}` };
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
    return poison ? { text: undefined, reason: poison } : { text: bytes, reason: undefined };
  };
}

function textDecoder(serverEncoding: string): (content: Buffer) => string | undefined {
  if (serverEncoding === 'LATIN1') return (content) => content.toString('latin1');
  const decoder = new TextDecoder(decoderNames[serverEncoding] ?? 'utf-8', { fatal: true, ignoreBOM: true });
  return (content) => {
    try {
      return decoder.decode(content);
    } catch {
      return undefined;
    }
  };
}

import { verifySignatures } from './checkpoint.ts';
import { type HashInto, hashOf } from './hash.ts';
import { type Origin, parseOrigin } from './origin.ts';
import type { Sign, Verify } from './signature.ts';
import { formatSignedNote, NoteError, parseSignedNote } from './signed-note.ts';
import { ED25519, type VerifierKey, verifierKey } from './verifier-key.ts';

// The signed note over the documents of a report: docs/spec/report.md. Its first line is that of no other note of a log.

const TITLE = 'bemi report v1';

/** A document of a report: its name without a folder, and its bytes. */
export interface ReportDocument {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ReportNote {
  readonly origin: Origin;
  /** Name and SHA-256 in hexadecimal of each document. */
  readonly documents: readonly { readonly name: string; readonly sha256: string }[];
}

/** Whether a text claims to be the note of a report. */
export function isReportNote(text: string): boolean {
  return text.startsWith(`${TITLE}\n`);
}

/**
 * Signs a report's documents.
 *
 * @param key - the public half of what `sign` signs with; its name is the log's origin
 */
export function signReport(
  hash: HashInto,
  documents: readonly ReportDocument[],
  key: VerifierKey,
  sign: Sign,
): string {
  const lines = documents.map(({ name, bytes }) => {
    if (!isDocumentName(name))
      throw new TypeError('The name of a document has no slash and no control character.');
    return `${toHex(hashOf(hash, bytes))}  ${name}\n`;
  });
  const text = `${TITLE}\n${key.name}\n${lines.join('')}`;
  return formatSignedNote(text, [
    { name: key.name, keyId: key.id, signature: sign(new TextEncoder().encode(text)) },
  ]);
}

export type ReportResult =
  | { readonly valid: true; readonly note: ReportNote; readonly key: VerifierKey }
  | { readonly valid: false; readonly code: ReportFailure; readonly message: string };

export type ReportFailure = 'malformed' | 'unknown-key' | 'bad-signature' | 'altered' | 'document-missing';

/**
 * Verifies a report's note, and that the documents are those that were signed.
 *
 * @param read - the bytes of a document, undefined where it is not there
 * @param keys - of the log; a key is known by log id and public key, whatever the generation in its name
 */
export async function verifyReport(
  text: string,
  options: {
    readonly hash: HashInto;
    readonly verify: Verify;
    readonly keys: readonly VerifierKey[];
    readonly read: (name: string) => Uint8Array | undefined;
  },
): Promise<ReportResult> {
  const { hash, verify, keys, read } = options;
  let note: ReturnType<typeof parseSignedNote>;
  try {
    note = parseSignedNote(text);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    return { valid: false, code: 'malformed', message: error.message };
  }
  const statement = parseStatement(note.text);
  if (statement === undefined)
    return { valid: false, code: 'malformed', message: 'The note is not the statement of a report.' };
  const { name, report } = statement;
  const ofLog = keys
    .filter((key) => key.type === ED25519 && parseOrigin(key.name)?.logId === report.origin.logId)
    .map(({ publicKey }) => verifierKey(hash, name, publicKey));
  const check = await verifySignatures(note, ofLog, verify);
  if (!check.valid)
    return check.reason === 'invalid'
      ? { valid: false, code: 'bad-signature', message: 'The signature on the report is wrong.' }
      : { valid: false, code: 'unknown-key', message: `No given key signed the report of ${name}.` };
  for (const { name: document, sha256 } of report.documents) {
    const bytes = read(document);
    if (bytes === undefined)
      return { valid: false, code: 'document-missing', message: `${document} is not beside the note.` };
    if (toHex(hashOf(hash, bytes)) !== sha256)
      return { valid: false, code: 'altered', message: `${document} is not the document that was signed.` };
  }
  return { valid: true, note: report, key: check.signatures[0]!.key };
}

function parseStatement(text: string): { name: string; report: ReportNote } | undefined {
  const [title, name = '', ...lines] = text.slice(0, -1).split('\n');
  const origin = parseOrigin(name);
  if (title !== TITLE || origin === undefined || lines.length === 0) return undefined;
  const documents = lines.map((line) => /^([0-9a-f]{64}) {2}(.+)$/.exec(line));
  if (!documents.every((match) => match !== null && isDocumentName(match[2]!))) return undefined;
  return {
    name,
    report: { origin, documents: documents.map((match) => ({ sha256: match![1]!, name: match![2]! })) },
  };
}

function isDocumentName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\p{Cc}]/u.test(name);
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

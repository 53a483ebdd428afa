import { decodeBase64, encodeBase64 } from './base64.ts';
import { readU32, writeU32 } from './integer.ts';
import { isKeyName } from './key-name.ts';

// c2sp.org/signed-note.

/** A signature line: the signature's bytes follow the key id. Their meaning is the key's. */
export interface NoteSignature {
  readonly name: string;
  readonly keyId: number;
  readonly signature: Uint8Array;
}

export interface SignedNote {
  /** What is signed, its last newline included. Not to be believed before a signature of a known key is verified. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A text that isn't a signed note. */
export class NoteError extends Error {
  override readonly name = 'NoteError';
}

// The specification asks for a limit, 16 signatures or more; Go's is 100 signatures and 1 MB.
const MAX_SIGNATURES = 100;
const MAX_NOTE_CHARACTERS = 1_000_000;

/**
 * Reads a signed note, and verifies nothing.
 *
 * @throws NoteError where it isn't one: the message says which rule of the format it breaks
 */
export function parseSignedNote(note: string): SignedNote {
  if (note.length > MAX_NOTE_CHARACTERS)
    throw new NoteError(`A note has ${MAX_NOTE_CHARACTERS} characters at most, got ${note.length}.`);
  if (!isNoteText(note)) throw new NoteError('A note is UTF-8 and has no control characters but newlines.');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0) throw new NoteError('A note has an empty line between its text and its signatures.');
  const lines = note.slice(blank + 2).split('\n');
  if (lines.pop() !== '') throw new NoteError('A note ends with a newline.');
  if (lines.length === 0) throw new NoteError('A note has one signature at least.');
  if (lines.length > MAX_SIGNATURES)
    throw new NoteError(`A note has ${MAX_SIGNATURES} signatures at most, got ${lines.length}.`);
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignatureLine) };
}

function parseSignatureLine(line: string, i: number): NoteSignature {
  const match = /^\u2014 ([^ ]+) ([A-Za-z0-9+/=]+)$/.exec(line);
  if (match === null || !isKeyName(match[1]!))
    throw new NoteError(`Signature line ${i + 1} is not "— name base64".`);
  const bytes = decodeBase64(match[2]!);
  if (bytes === undefined || bytes.length < 5)
    throw new NoteError(`Signature line ${i + 1} has no base64 of a key id of 4 bytes and a signature.`);
  return { name: match[1]!, keyId: readU32(bytes, 0), signature: bytes.slice(4) };
}

/**
 * Writes a signed note.
 *
 * @param text - ends with a newline
 * @throws NoteError where the text or a name can't stand in a note
 */
export function formatSignedNote(text: string, signatures: readonly NoteSignature[]): string {
  if (!text.endsWith('\n') || !isNoteText(text))
    throw new NoteError('The text of a note ends with a newline and has no other control characters.');
  return `${text}\n${signatures.map(formatSignatureLine).join('')}`;
}

/** One signature line, its newline included: what a witness' answer adds to a note. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name))
    throw new NoteError('The name of a key has no spaces, plus signs or control characters.');
  const bytes = new Uint8Array(4 + signature.length);
  writeU32(bytes, 0, keyId);
  bytes.set(signature, 4);
  return `\u2014 ${name} ${encodeBase64(bytes)}\n`;
}

function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a note must not have.
  return !/\p{Surrogate}/u.test(text) && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

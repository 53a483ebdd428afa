import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { sha256Into, verifyEd25519 } from '@bemi-db/proof/noble-crypto';
import {
  type ProofFact,
  printable,
  proofFacts,
  proofHeadline,
  reportFacts,
} from '@bemi-db/proof/proof-facts';
import { isReportNote, verifyReport } from '@bemi-db/proof/report-note';
import { NoteError } from '@bemi-db/proof/signed-note';
import { ED25519, parseVerifierKey, type VerifierKey } from '@bemi-db/proof/verifier-key';
import { verifyEntryProof } from '@bemi-db/proof/verify-entry-proof';

/** A file that was dropped or chosen. */
interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a file turned out to be. */
interface Outcome {
  readonly file: string;
  readonly isGood: boolean;
  readonly headline: string;
  /** Why it is not proven. */
  readonly message?: string;
  readonly facts?: readonly ProofFact[];
}

const byId = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const keyField = byId<HTMLTextAreaElement>('key');
const keyError = byId<HTMLParagraphElement>('key-error');
const chooser = byId<HTMLInputElement>('files');
const drop = byId<HTMLDivElement>('drop');
const results = byId<HTMLDivElement>('results');

const largestBytes = 64 * 1024 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true });
let files: readonly GivenFile[] = [];
/** Counts the checks, so that one that was overtaken shows nothing. */
let round = 0;

keyField.addEventListener('input', () => void check());
chooser.addEventListener('change', () => {
  void take([...(chooser.files ?? [])]);
  chooser.value = ''; // the same file, chosen again, is read again
});
drop.addEventListener('dragover', (event) => {
  event.preventDefault();
  drop.classList.add('over');
});
drop.addEventListener('dragleave', () => drop.classList.remove('over'));
// A file that misses the field would replace the page.
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  drop.classList.remove('over');
  void take([...(event.dataTransfer?.files ?? [])]);
});

async function take(given: readonly File[]): Promise<void> {
  if (given.length === 0) return;
  files = await Promise.all(
    given.map(async (file) => ({
      name: file.name,
      bytes: file.size > largestBytes ? new Uint8Array(0) : new Uint8Array(await file.arrayBuffer()),
    })),
  );
  await check();
}

async function check(): Promise<void> {
  const mine = ++round;
  const keys = readKeys();
  if (keys === undefined || files.length === 0) return show([]);
  const outcomes = await outcomesOf(files, keys);
  if (mine === round) show(outcomes);
}

/** The keys in the field; undefined, and an explanation beside it, where one can't be read. */
function readKeys(): readonly VerifierKey[] | undefined {
  const lines = keyField.value.split(/\s+/).filter((line) => line !== '');
  const keys = lines.map((line) => parseVerifierKey(sha256Into, line));
  const problem = keys.includes(undefined)
    ? 'This is no verifier key: it is not complete, or a character of it is wrong. Copy it again.'
    : keys.length > 0 && !keys.some((key) => key?.type === ED25519)
      ? "These are keys of witnesses: the log's own is needed too."
      : keys.length === 0 && files.length > 0
        ? "Paste the log's key: without it, anybody could have made the proof."
        : undefined;
  keyError.hidden = problem === undefined;
  keyError.textContent = problem ?? '';
  keyField.setAttribute('aria-invalid', String(problem !== undefined));
  return problem === undefined ? (keys as VerifierKey[]) : undefined;
}

async function outcomesOf(given: readonly GivenFile[], keys: readonly VerifierKey[]): Promise<Outcome[]> {
  const texts = given.map((file) => ({ ...file, text: textOf(file.bytes) }));
  const kept = texts.filter(({ text }) => text !== undefined && isCheckpoint(text));
  const notes = texts.filter(({ text }) => text !== undefined && isReportNote(text));
  const outcomes: Outcome[] = [];
  const documents = new Set<string>();
  const options = { hash: sha256Into, verify: verifyEd25519, keys };
  for (const { name, text } of notes) {
    const read = (document: string): Uint8Array | undefined => {
      documents.add(document);
      return given.find((file) => file.name === document)?.bytes;
    };
    const result = await verifyReport(text!, { ...options, read });
    outcomes.push(
      result.valid
        ? {
            file: name,
            isGood: true,
            headline: "Report, signed by the log's key",
            facts: reportFacts(result),
          }
        : { file: name, isGood: false, headline: 'Not proven', message: result.message },
    );
  }
  for (const { name, text } of texts) {
    if (
      documents.has(name) ||
      notes.some((note) => note.name === name) ||
      kept.some((each) => each.name === name)
    )
      continue;
    if (text === undefined) {
      outcomes.push({ file: name, isGood: false, headline: 'Not proven', message: 'The file is no text.' });
      continue;
    }
    const checkpoint = kept[0]?.text;
    const result = await verifyEntryProof(text, {
      ...options,
      ...(checkpoint === undefined ? {} : { checkpoint }),
    });
    outcomes.push(
      result.valid
        ? {
            file: name,
            isGood: true,
            headline: `Proven: ${proofHeadline(result.entry)}`,
            facts: proofFacts(result),
          }
        : { file: name, isGood: false, headline: 'Not proven', message: result.message },
    );
  }
  if (outcomes.length === 0 && kept.length > 0)
    outcomes.push({
      ...{ file: kept[0]!.name, isGood: false, headline: 'Nothing to prove' },
      message: 'This is a checkpoint: give the proof together with it.',
    });
  return outcomes;
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function isCheckpoint(text: string): boolean {
  try {
    parseCheckpoint(text);
    return true;
  } catch (error) {
    if (error instanceof NoteError) return false;
    throw error;
  }
}

/** What was logged is shown as text, never as markup. */
function show(outcomes: readonly Outcome[]): void {
  if (outcomes.length === 0) {
    const waiting = element('p', 'Nothing is checked yet.');
    waiting.className = 'help';
    results.replaceChildren(waiting);
    return;
  }
  results.replaceChildren(
    ...outcomes.map(({ file, isGood, headline, message, facts = [] }) => {
      const article = document.createElement('article');
      article.className = isGood ? 'good' : 'bad';
      const title = element('h3', `${isGood ? '✓' : '✗'} ${printable(headline)}`);
      const name = element('p', printable(file));
      name.className = 'file';
      article.append(title, name);
      if (message !== undefined) article.append(element('p', printable(message)));
      const list = document.createElement('dl');
      for (const [term, value] of facts) list.append(element('dt', term), element('dd', printable(value)));
      if (facts.length > 0) article.append(list);
      return article;
    }),
  );
}

function element<K extends keyof HTMLElementTagNameMap>(name: K, text: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

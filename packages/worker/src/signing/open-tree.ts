import { encodeBase64 } from '@bemi-db/proof/base64';
import {
  type Checkpoint,
  parseCheckpoint,
  signCheckpoint,
  verifySignatures,
} from '@bemi-db/proof/checkpoint';
import { sameBytes } from '@bemi-db/proof/hash';
import { sha256Into, verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { formatOrigin, type Origin, parseOrigin } from '@bemi-db/proof/origin';
import { NoteError } from '@bemi-db/proof/signed-note';
import { treeHashAt } from '@bemi-db/proof/tile-reader';
import { ED25519, verifierKey } from '@bemi-db/proof/verifier-key';
import { LogTree, type TreeHead } from '@bemi-db/trail/append/log-tree';
import type { InboxRequest } from '@bemi-db/trail/inbox';
import type { SourceState } from '@bemi-db/trail/sources';
import { currentKey, pastKeys } from '@bemi-db/trail/tree/key-events';
import { readStoredTree, StoredTreeError, storedTiles } from '@bemi-db/trail/tree/stored-tree';
import type pg from 'pg';
import type { Logger } from '../logger.ts';
import { RefusalError } from '../refusal.ts';
import { findKeyRequest } from './key-request.ts';
import { LastSigned } from './last-signed.ts';
import {
  createSigningKey,
  loadSigningKey,
  type SigningKey,
  type SigningKeySource,
  signingKeyFile,
} from './signing-key.ts';

/** A checkpoint that somebody else keeps, and who. */
export interface KeptCheckpoint {
  readonly where: string;
  readonly text: string;
}

/** Where a log ends, whether it has a source or not. */
export type LogEnd = Pick<SourceState, 'log' | 'logId' | 'nextSequence' | 'generation'>;

export interface OpenTreeOptions {
  readonly client: pg.ClientBase;
  /** Of the log. */
  readonly name: string;
  readonly state: LogEnd;
  readonly signing: SigningKeySource;
  /** What was published, from wherever it is kept. */
  readonly published: (origin: string) => Promise<readonly KeptCheckpoint[]>;
  readonly logger: Logger;
  /**
   * Somebody accepts a gap: what is signed from here on is of another generation, and signed entries that are gone are
   * given up. Default false.
   */
  readonly isGapAccepted?: boolean;
}

/** A log's tree, ready to grow. */
export interface OpenTree {
  readonly tree: LogTree;
  readonly lastSigned: LastSigned;
  /** Base64, of the key that signs from here on. */
  readonly publicKey: string;
  /** The log is empty: its first entries say what it is and who signs it. */
  readonly isNew: boolean;
  /** The request by which the key is another one than before: its event comes first. */
  readonly keyRequest: InboxRequest | undefined;
  /** Where the log ends now; `undefined` while it is empty. */
  readonly head: TreeHead | undefined;
  /** Of what is signed from here on. */
  readonly generation: number;
  /** The largest checkpoint of entries that are gone; only where a gap is accepted. */
  readonly lost: LostCheckpoint | undefined;
}

/** Signed, and more than the log has now. */
export interface LostCheckpoint {
  readonly size: number;
  readonly text: string;
}

/**
 * Reads a log's tree from the audit database, and makes sure that signing it further is no fork: what the worker itself
 * signed last, and every checkpoint that was published, must be a beginning of it. Whoever controls the audit database
 * may have cut it, restored an older copy or rewritten it; then nothing is signed.
 *
 * Where a gap is accepted, entries that are gone may have been signed. Those that are there must be what was signed all the
 * same, and another generation keeps what is signed from contradicting what was.
 *
 * Only an empty log gets a key by itself. A log with entries whose key is gone is not continued with another one
 * unless somebody says why.
 *
 * @throws RefusalError
 */
export async function openTree(options: OpenTreeOptions): Promise<OpenTree> {
  const { client, state, signing, isGapAccepted = false } = options;
  const isNew = state.nextSequence === 0;
  let key = loadSigningKey(signing);
  if (!key) {
    if (!isNew) throw keyMissing(signing);
    key = createSigningKey(signing.directory);
    options.logger.info(
      { file: signingKeyFile(signing.directory) },
      'Made a key that signs the log: keep a copy',
    );
  }
  const lastSigned = new LastSigned(signing.directory, options.name);
  const publicKey = encodeBase64(key.publicKey);

  const own = lastSigned.read();
  const kept: KeptCheckpoint[] = own === undefined ? [] : [{ where: lastSigned.file, text: own }];

  if (isNew) {
    for (const checkpoint of kept) {
      const { size } = readKept(checkpoint, state.logId);
      if (size > 0) throw logCut(checkpoint.where, size, 0);
    }
    const { generation } = state;
    const tree = new LogTree({ size: 0, partialTiles: [] }, signerOf(key, { ...state, generation }));
    const nothing = { keyRequest: undefined, head: undefined, lost: undefined };
    return { tree, lastSigned, publicKey, isNew, generation, ...nothing };
  }

  const stored = await readStoredTree(client, state.log, state.nextSequence).catch((error: unknown) => {
    if (error instanceof StoredTreeError) throw logAltered(error.message);
    throw error;
  });
  const tiles = storedTiles(client, state.log, stored.state);
  const storedCheckpoint = readKept({ where: 'the audit database', text: stored.checkpoint }, state.logId);
  if (storedCheckpoint.size !== state.nextSequence) {
    throw logAltered(
      `Its checkpoint is of ${storedCheckpoint.size} entries, and it has ${state.nextSequence}`,
    );
  }
  const origin = formatOrigin(state);
  if (storedCheckpoint.origin !== origin) {
    throw logAltered(`Its checkpoint is of ${storedCheckpoint.origin}, and it is ${origin}`);
  }
  const { previousKey, keyRequest } = await agreeOnKey(client, state, key);
  const keys = [key.publicKey, ...(await pastKeys(client, state.log))];
  kept.push(...(await signedOnes(await options.published(origin), keys, options.logger)));
  const signatures = await verifySignatures(
    storedCheckpoint.note,
    [verifierKey(sha256Into, storedCheckpoint.origin, previousKey, ED25519)],
    verifyEd25519,
  );
  if (!signatures.valid) throw logAltered('Its checkpoint is not signed by its key');

  let lost: LostCheckpoint | undefined;
  let { generation } = state;
  for (const checkpoint of [{ where: 'the audit database', text: stored.checkpoint }, ...kept]) {
    const signed = readKept(checkpoint, state.logId);
    const { size, root } = signed;
    const signedGeneration = parseOrigin(signed.origin)?.generation ?? state.generation;
    generation = Math.max(generation, isGapAccepted ? signedGeneration : 1);
    if (size > state.nextSequence) {
      // Of an earlier generation: a gap was accepted, which gave it up, and this is the first start since.
      if (signedGeneration < state.generation) continue;
      if (!isGapAccepted) throw logCut(checkpoint.where, size, state.nextSequence);
      if (!lost || size > lost.size) lost = { size, text: checkpoint.text };
      continue;
    }
    const found = await treeHashAt(sha256Into, size, tiles).catch((error: unknown) => {
      if (error instanceof StoredTreeError) throw logAltered(error.message);
      throw error;
    });
    if (!sameBytes(found, root)) throw logForked(checkpoint.where, size);
  }
  // It is ours, and may have been committed in the moment before a crash.
  if (!isGapAccepted && own !== stored.checkpoint) lastSigned.write(stored.checkpoint);
  if (isGapAccepted) generation++;
  const tree = new LogTree(stored.state, signerOf(key, { ...state, generation }));
  const head = { ...tree.edge(), checkpoint: stored.checkpoint };
  return { tree, lastSigned, publicKey, isNew, keyRequest, head, generation, lost };
}

function signerOf(key: SigningKey, log: Origin): (size: number, root: Uint8Array) => string {
  const origin = formatOrigin(log);
  const ownKey = verifierKey(sha256Into, origin, key.publicKey, ED25519);
  return (size, root) => signCheckpoint({ origin, size, root }, ownKey, key.sign);
}

/**
 * The published checkpoints that a key of this log signed. Whoever may write to where they are published could put
 * another one there: that is said, and stops nothing.
 */
async function signedOnes(
  published: readonly KeptCheckpoint[],
  keys: readonly Uint8Array[],
  logger: Logger,
): Promise<KeptCheckpoint[]> {
  const signed: KeptCheckpoint[] = [];
  for (const kept of published) {
    const isSigned = await isSignedBy(kept.text, keys);
    if (isSigned) signed.push(kept);
    else logger.warn({ where: kept.where }, 'What is published there is not signed by a key of this log');
  }
  return signed;
}

async function isSignedBy(text: string, keys: readonly Uint8Array[]): Promise<boolean> {
  try {
    const { origin, note } = parseCheckpoint(text);
    const named = keys.map((publicKey) => verifierKey(sha256Into, origin, publicKey, ED25519));
    return (await verifySignatures(note, named, verifyEd25519)).valid;
  } catch (error) {
    if (error instanceof NoteError || error instanceof TypeError) return false;
    throw error;
  }
}

/** The key must be the one that the log names, or one that a request of the inbox puts in its place. */
async function agreeOnKey(
  client: pg.ClientBase,
  state: LogEnd,
  key: SigningKey,
): Promise<{ previousKey: Uint8Array; keyRequest: InboxRequest | undefined }> {
  const current = await currentKey(client, state.log);
  if (!current) throw logAltered('The event that names its key is gone');
  const previousKey = Buffer.from(current.publicKey, 'base64');
  if (sameBytes(previousKey, key.publicKey)) return { previousKey, keyRequest: undefined };
  const log = { log: state.log, logId: state.logId, currentKey: previousKey };
  const keyRequest = await findKeyRequest(client, log, key.publicKey);
  if (keyRequest) return { previousKey, keyRequest };
  throw new RefusalError(
    'signing-key-other',
    'The log is signed by another key than this worker has.',
    'Give the worker the key that it had (BEMI_SIGNING_KEY, or signing-key.pem in its state directory), or put this one in its place: bemi keys signing rotate, or, when the old one is lost, bemi keys signing replace --reason "…"',
  );
}

function readKept({ where, text }: KeptCheckpoint, logId: string): Checkpoint {
  let checkpoint: Checkpoint;
  try {
    checkpoint = parseCheckpoint(text);
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
    throw new RefusalError(
      'checkpoint-broken',
      `The checkpoint in ${where} is none: ${error.message}`,
      'If the machine crashed while it was written, run bemi verify, then delete it and start the worker again.',
    );
  }
  if (parseOrigin(checkpoint.origin)?.logId !== logId) {
    throw new RefusalError(
      'checkpoint-of-another-log',
      `The checkpoint in ${where} is of ${checkpoint.origin}, another log.`,
      `Connect the worker to the audit database that it wrote so far. When that one was given up on purpose, move ${where} away; each log wants a state directory (BEMI_STATE_DIR) and published place of its own.`,
    );
  }
  return checkpoint;
}

const afterTampering =
  'Run bemi verify: it names what is wrong. Restore the audit database to the state that was signed; nothing is signed before.';
const afterLoss =
  'Restore the newest copy of the audit database. If these entries are lost for good: bemi gap accept --reason "…", which verification reports.';

function logCut(where: string, signedSize: number, size: number): RefusalError {
  return new RefusalError(
    'log-cut',
    `The log has ${size} entries, and ${where} holds a checkpoint of ${signedSize}: entries were cut off, or an older copy was restored.`,
    afterLoss,
  );
}

function logForked(where: string, size: number): RefusalError {
  return new RefusalError(
    'log-forked',
    `The first ${size} entries of the log are not those of the checkpoint in ${where}: the log was rewritten.`,
    afterTampering,
  );
}

function logAltered(what: string): RefusalError {
  return new RefusalError('log-altered', `The log was altered. ${what}.`, afterTampering);
}

function keyMissing({ directory }: SigningKeySource): RefusalError {
  return new RefusalError(
    'signing-key-missing',
    `The log has entries, and the key that signs it is gone: neither BEMI_SIGNING_KEY nor ${signingKeyFile(directory)}.`,
    'Put the key back. When it is lost for good: bemi keys signing replace --reason "…", which verification reports.',
  );
}

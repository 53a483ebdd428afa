import { type Checkpoint, parseCheckpoint, verifySignatures } from './checkpoint.ts';
import { commitmentOf } from './commitment.ts';
import {
  disclosedFields,
  type EntryProof,
  EntryProofError,
  PARTS,
  type PartName,
  type ProofPart,
  parseEntryProof,
} from './entry-proof.ts';
import { type EntryProofFailure, Refusal } from './entry-proof-failure.ts';
import { type HashInto, sameBytes } from './hash.ts';
import { verifyInclusion } from './inclusion-proof.ts';
import { leafHash } from './merkle-tree.ts';
import { type Origin, parseOrigin } from './origin.ts';
import { expectPart, type ProvenEntry, payloadOf, provenEntry } from './proven-entry.ts';
import type { Verify } from './signature.ts';
import { ED25519, type VerifierKey, verifierKey } from './verifier-key.ts';

export type EntryProofResult =
  | {
      readonly valid: true;
      readonly entry: ProvenEntry;
      readonly logId: string;
      readonly generation: number;
      /** The name of the source's database, from the log's first entry. */
      readonly database: string | undefined;
      readonly size: number;
      readonly root: Uint8Array;
      /** The keys that signed the checkpoint; witnesses with the time of their cosignature. */
      readonly signatures: readonly { readonly key: VerifierKey; readonly timestamp?: bigint }[];
    }
  | { readonly valid: false; readonly code: EntryProofFailure; readonly message: string };

export interface VerifyEntryProofOptions {
  readonly hash: HashInto;
  readonly verify: Verify;
  /** Keys of the log and of witnesses, from a source other than the proof. */
  readonly keys: readonly VerifierKey[];
  /** A checkpoint that was kept: the proof must be in exactly that tree. */
  readonly checkpoint?: string;
}

/**
 * Verifies the proof of an entry offline (docs/spec/proof.md): signature, inclusion of each part, commitments, and
 * that the parts belong together. The first thing that fails is the result.
 *
 * @param text - the file
 */
export async function verifyEntryProof(
  text: string,
  options: VerifyEntryProofOptions,
): Promise<EntryProofResult> {
  try {
    const proof = parseEntryProof(text);
    const checkpoint = commonCheckpoint(proof);
    const origin = parseOrigin(checkpoint.origin);
    if (origin === undefined)
      throw new Refusal('bad-checkpoint', 'The origin of the checkpoint is none of Bemi.');
    const signatures = await verifiedSignatures(checkpoint, origin, options);
    if (options.checkpoint !== undefined) expectCheckpoint(checkpoint, options.checkpoint);
    for (const name of PARTS) {
      const part = proof[name];
      if (part === undefined) continue;
      expectIncluded(name, part, checkpoint, options.hash);
      expectCommitted(name, part, options.hash);
    }
    const database = databaseOf(proof, origin);
    const entry = provenEntry(proof, origin);
    const { size, root } = checkpoint;
    return { valid: true, entry, ...origin, database, size, root, signatures };
  } catch (error) {
    if (error instanceof Refusal) return { valid: false, code: error.code, message: error.message };
    if (error instanceof EntryProofError) return { valid: false, code: 'malformed', message: error.message };
    throw error;
  }
}

function commonCheckpoint(proof: EntryProof): Checkpoint {
  const text = proof.entry.proof.checkpoint;
  for (const name of PARTS)
    if (proof[name] !== undefined && proof[name].proof.checkpoint !== text)
      throw new Refusal('does-not-belong', `"${name}" is proven in another checkpoint than "entry".`);
  return readCheckpoint(text, "The proof's checkpoint");
}

function readCheckpoint(text: string, what: string): Checkpoint {
  try {
    return parseCheckpoint(text);
  } catch (error) {
    throw new Refusal('bad-checkpoint', `${what} can't be read: ${(error as Error).message}`);
  }
}

async function verifiedSignatures(checkpoint: Checkpoint, origin: Origin, options: VerifyEntryProofOptions) {
  // A log keeps its key when its generation, and with it the key's name, changes: any of its names will do.
  const keys = options.keys.flatMap((key) => {
    if (key.type !== ED25519) return [key];
    const named = parseOrigin(key.name);
    return named?.logId === origin.logId ? [verifierKey(options.hash, checkpoint.origin, key.publicKey)] : [];
  });
  const check = await verifySignatures(checkpoint.note, keys, options.verify);
  if (!check.valid && check.reason === 'invalid')
    throw new Refusal('bad-signature', `The signature of ${check.key.name} on the checkpoint is wrong.`);
  if (!check.valid || !check.signatures.some(({ key }) => key.type === ED25519)) {
    const log = options.keys.some(({ name }) => parseOrigin(name)?.logId === origin.logId);
    throw new Refusal(
      'unknown-key',
      log
        ? 'The checkpoint is not signed by the given key of this log. If the key was rotated, give the newer one.'
        : `None of the given keys is one of the log ${origin.logId}.`,
    );
  }
  return check.signatures;
}

function expectCheckpoint(checkpoint: Checkpoint, kept: string): void {
  const { origin, size, root } = readCheckpoint(kept, 'The checkpoint that was kept');
  if (parseOrigin(origin)?.logId !== parseOrigin(checkpoint.origin)?.logId)
    throw new Refusal('other-log', 'The checkpoint that was kept is of another log than the proof.');
  if (size !== checkpoint.size)
    throw new Refusal(
      'other-checkpoint',
      `The checkpoint that was kept has size ${size}, that of the proof ${checkpoint.size}. Have the proof made in the kept one.`,
    );
  if (!sameBytes(root, checkpoint.root))
    throw new Refusal(
      'other-checkpoint',
      `At size ${size}, the checkpoint that was kept has another root than that of the proof: the log's history was written anew.`,
    );
}

function expectIncluded(name: PartName, part: ProofPart, checkpoint: Checkpoint, hash: HashInto): void {
  const { index, hashes } = part.proof;
  if (index !== part.decoded.sequence)
    throw new Refusal(
      'not-included',
      `"${name}" says that it is entry ${part.decoded.sequence}, its proof is of entry ${index}.`,
    );
  const leaf = leafHash(hash, part.record);
  if (!verifyInclusion(hash, leaf, index, checkpoint.size, hashes, checkpoint.root))
    throw new Refusal(
      'not-included',
      `"${name}" is not entry ${index} of the log that the checkpoint is of.`,
    );
}

function expectCommitted(name: PartName, part: ProofPart, hash: HashInto): void {
  const { decoded, disclosed } = part;
  if (decoded.kind === 'opaque' || disclosed === null) return;
  if ('quarantined' in decoded && decoded.quarantined !== (disclosed.quarantine !== undefined))
    throw new Refusal(
      'altered',
      `"${name}" is ${decoded.quarantined ? '' : 'not '}in quarantine, its texts say otherwise.`,
    );
  const fields = disclosedFields(decoded, disclosed);
  if (fields === undefined)
    throw new Refusal('altered', `"${name}" is a commit without an actor, and has texts.`);
  if (!sameBytes(commitmentOf(hash, fields), decoded.commitment))
    throw new Refusal(
      'altered',
      `The texts of "${name}" are not those that entry ${decoded.sequence} was logged with.`,
    );
}

function databaseOf({ created }: EntryProof, origin: Origin): string | undefined {
  const record = expectPart('created', created, 'event');
  const payload = payloadOf(created);
  if (record.sequence !== 0 || record.eventKind !== 'lifecycle' || payload?.text('event') !== 'created')
    throw new Refusal('does-not-belong', '"created" is not the first entry of a log.');
  if (payload.text('logId') !== origin.logId)
    throw new Refusal('other-log', 'The log id of "created" is not that of the checkpoint.');
  return payload.text('database');
}

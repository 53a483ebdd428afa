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
import { EventPayload } from './event-payload.ts';
import { type HashInto, sameBytes } from './hash.ts';
import { verifyInclusion } from './inclusion-proof.ts';
import { formatLsn } from './lsn.ts';
import { leafHash } from './merkle-tree.ts';
import { type Origin, parseOrigin } from './origin.ts';
import type { Authenticity, DecodedRecord, Operation } from './record.ts';
import type { Verify } from './signature.ts';
import { ED25519, type VerifierKey, verifierKey } from './verifier-key.ts';

/** What a valid proof proves. Texts are the bytes that were logged, JSON where the log holds JSON. */
export type ProvenEntry = ProvenChange | ProvenContext | ProvenCommit | ProvenEvent | ProvenOpaque;

/** When and by which transaction of the source. Times are microseconds since 2000-01-01 00:00:00 UTC. */
export interface ProvenCommit {
  readonly kind: 'commit';
  readonly sequence: number;
  readonly transactionId: bigint;
  readonly commitLsn: string;
  readonly committedAt: bigint;
  readonly recordedAt: bigint;
  readonly changeCount: number;
  readonly actor: string | null;
  readonly erased: boolean;
}

export interface ProvenContext {
  readonly kind: 'context';
  readonly sequence: number;
  readonly authenticity: Authenticity;
  readonly context: string | null;
  readonly quarantined: boolean;
  readonly erased: boolean;
  readonly commit: ProvenCommit;
}

export interface ProvenChange {
  readonly kind: 'change';
  readonly sequence: number;
  readonly operation: Operation;
  readonly schema: string;
  readonly table: string;
  readonly position: string;
  readonly primaryKey: string | null;
  /** Of an UPDATE with `beforeKind` full: the changed columns. */
  readonly before: string | null;
  readonly beforeKind: 'full' | 'key' | 'none';
  readonly after: string | null;
  readonly quarantined: boolean;
  /** The texts were erased: null, with all that is proven beside them. */
  readonly erased: boolean;
  readonly commit: ProvenCommit;
  /** Undefined: the change has no context. */
  readonly context: Omit<ProvenContext, 'commit' | 'kind'> | undefined;
}

export interface ProvenEvent {
  readonly kind: 'event';
  readonly sequence: number;
  readonly eventKind: string;
  readonly at: bigint;
  readonly actor: string | null;
  readonly payload: string | null;
  readonly erased: boolean;
}

export interface ProvenOpaque {
  readonly kind: 'opaque';
  readonly sequence: number;
}

export type EntryProofFailure =
  /** The file isn't a proof that can be read. */
  | 'malformed'
  | 'bad-checkpoint'
  /** None of the given keys signed the checkpoint. */
  | 'unknown-key'
  | 'bad-signature'
  | 'not-included'
  /** The texts aren't those that the record commits to. */
  | 'altered'
  | 'part-missing'
  /** The parts are each in the log, and don't belong together. */
  | 'does-not-belong'
  | 'other-log'
  /** The proof is in another checkpoint than the given one. */
  | 'other-checkpoint';

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

class Refusal extends Error {
  readonly code: EntryProofFailure;
  constructor(code: EntryProofFailure, message: string) {
    super(message);
    this.code = code;
  }
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

function payloadOf(part: ProofPart | undefined): EventPayload | undefined {
  return EventPayload.parse(part?.disclosed?.payload ?? '');
}

function expectPart<Kind extends DecodedRecord['kind']>(
  name: PartName,
  part: ProofPart | undefined,
  kind: Kind,
): Extract<DecodedRecord, { kind: Kind }> {
  if (part === undefined)
    throw new Refusal('part-missing', `The proof has no "${name}", which the entry needs.`);
  if (part.decoded.kind !== kind)
    throw new Refusal('does-not-belong', `"${name}" is a ${part.decoded.kind}, expected a ${kind}.`);
  return part.decoded as Extract<DecodedRecord, { kind: Kind }>;
}

function belong(condition: boolean, message: string): void {
  if (!condition) throw new Refusal('does-not-belong', message);
}

function provenEntry(proof: EntryProof, origin: Origin): ProvenEntry {
  const { decoded } = proof.entry;
  switch (decoded.kind) {
    case 'change':
      return provenChange(proof, decoded, origin);
    case 'context':
      return {
        kind: 'context',
        ...provenContext(proof.entry, decoded),
        commit: commitOf(proof, decoded, origin),
      };
    case 'commit':
      return provenCommit(proof.entry, decoded, origin);
    case 'event': {
      const { actor = null, payload = null } = proof.entry.disclosed ?? {};
      const { sequence, eventKind, at } = decoded;
      return {
        kind: 'event',
        sequence,
        eventKind,
        at,
        actor,
        payload,
        erased: proof.entry.disclosed === null,
      };
    }
    case 'opaque':
      return { kind: 'opaque', sequence: decoded.sequence };
  }
}

type RecordOf<Kind> = Extract<DecodedRecord, { kind: Kind }>;

function provenChange(proof: EntryProof, change: RecordOf<'change'>, origin: Origin): ProvenChange {
  const { sequence, operation, beforeKind, quarantined } = change;
  const relation = expectPart('relation', proof.relation, 'event');
  belong(
    relation.eventKind === 'relation' &&
      relation.sequence === change.relation &&
      relation.sequence < sequence,
    `"relation" is not the event ${change.relation} that describes the change's table.`,
  );
  const shape = payloadOf(proof.relation);
  const schema = shape?.text('schema');
  const table = shape?.text('table');
  if (schema === undefined || table === undefined)
    throw new Refusal('part-missing', '"relation" does not say which table it describes.');
  const { primaryKey = null, before = null, after = null } = proof.entry.disclosed ?? {};
  return {
    kind: 'change',
    sequence,
    operation,
    schema,
    table,
    position: formatLsn(change.lsn),
    primaryKey,
    before,
    beforeKind,
    after,
    quarantined,
    erased: proof.entry.disclosed === null,
    commit: commitOf(proof, change, origin),
    context: contextOf(proof, change),
  };
}

/** The commit of the transaction that the change or context is part of. */
function commitOf(proof: EntryProof, member: RecordOf<'change' | 'context'>, origin: Origin): ProvenCommit {
  const commit = expectPart('commit', proof.commit, 'commit');
  belong(
    commit.transaction === member.transaction &&
      member.transaction <= member.sequence &&
      member.sequence < commit.sequence,
    `"commit" is not the commit of transaction ${member.transaction}, which entry ${member.sequence} is part of.`,
  );
  return provenCommit(proof.commit!, commit, origin);
}

function provenCommit(part: ProofPart, commit: RecordOf<'commit'>, origin: Origin): ProvenCommit {
  belong(
    commit.generation <= origin.generation,
    `Entry ${commit.sequence} is of generation ${commit.generation}, the checkpoint of generation ${origin.generation}.`,
  );
  return {
    kind: 'commit',
    sequence: commit.sequence,
    transactionId: commit.xid,
    commitLsn: formatLsn(commit.commitLsn),
    committedAt: commit.committedAt,
    recordedAt: commit.recordedAt,
    changeCount: commit.changeCount,
    actor: part.disclosed?.actor ?? null,
    erased: commit.hasActor && part.disclosed === null,
  };
}

/** The change's context. A proof can't leave it out: the commit says how many contexts the transaction has. */
function contextOf(proof: EntryProof, change: RecordOf<'change'>): ProvenChange['context'] {
  const commit = expectPart('commit', proof.commit, 'commit');
  if (commit.contextCount === 0) {
    belong(
      proof.context === undefined && change.contextNumber === 0,
      `The change's transaction has no context, the proof says otherwise.`,
    );
    return undefined;
  }
  const context = expectPart('context', proof.context, 'context');
  belong(
    context.transaction === change.transaction &&
      context.contextNumber === change.contextNumber &&
      context.sequence < commit.sequence &&
      context.sequence >= change.transaction,
    `"context" is not context ${change.contextNumber} of transaction ${change.transaction}.`,
  );
  return provenContext(proof.context!, context);
}

function provenContext(part: ProofPart, record: RecordOf<'context'>): Omit<ProvenContext, 'commit' | 'kind'> {
  const { sequence, authenticity, quarantined } = record;
  return {
    sequence,
    authenticity,
    quarantined,
    context: part.disclosed?.context ?? null,
    erased: part.disclosed === null,
  };
}

import type { EntryProof, PartName, ProofPart } from './entry-proof.ts';
import { Refusal } from './entry-proof-failure.ts';
import { EventPayload } from './event-payload.ts';
import { formatLsn } from './lsn.ts';
import type { Origin } from './origin.ts';
import type { Authenticity, DecodedRecord, Operation } from './record.ts';

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

/** The payload of an event's part, or undefined where it is not disclosed or no JSON object. */
export function payloadOf(part: ProofPart | undefined): EventPayload | undefined {
  return EventPayload.parse(part?.disclosed?.payload ?? '');
}

/** The part's record, if the part is there and of this kind. */
export function expectPart<Kind extends DecodedRecord['kind']>(
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

/**
 * What the parts say together (docs/spec/proof.md, Verification, 7 to 9), once each is known to be in the log.
 *
 * @throws Refusal where they don't belong together
 */
export function provenEntry(proof: EntryProof, origin: Origin): ProvenEntry {
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

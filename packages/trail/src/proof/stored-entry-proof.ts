import { type Checkpoint, parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { makeEntryProof, type PartToProve } from '@bemi-db/proof/entry-proof';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { type DecodedRecord, decodeRecord } from '@bemi-db/proof/record';
import type pg from 'pg';
import { readStoredTree, StoredTreeError, storedTiles } from '../tree/stored-tree.ts';
import { partToProve } from './part-to-prove.ts';

/** Why an entry can't be proven. */
export type NoProofReason =
  | 'no-entry'
  | 'part-missing'
  | 'checkpoint-too-old'
  | 'checkpoint-too-new'
  | 'tree-altered';

export class NoProofError extends Error {
  override readonly name = 'NoProofError';
  readonly reason: NoProofReason;

  constructor(reason: NoProofReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** The proof of an entry as text, and what whoever asked for it should hear. */
export interface StoredEntryProof {
  readonly text: string;
  readonly kind: DecodedRecord['kind'];
  /** Its texts were erased: that it was there is proven, and nothing of what it said. */
  readonly isErased: boolean;
  readonly checkpoint: Checkpoint;
}

export interface StoredEntryProofOptions {
  readonly client: pg.ClientBase;
  readonly log: number;
  readonly sequence: number;
  /** A checkpoint that was kept, as text. Default: the newest one of the audit database. */
  readonly checkpoint?: string | undefined;
  /** The client is in a transaction that sees one state. Default: the proof is read in one of its own. */
  readonly isInTransaction?: boolean;
}

/**
 * Makes the proof of an entry (docs/spec/proof.md) from the audit database, with the entries that say what it means.
 *
 * @throws NoProofError where there is no such entry, or none that the checkpoint covers.
 */
export async function storedEntryProof(options: StoredEntryProofOptions): Promise<StoredEntryProof> {
  const { client, isInTransaction = false } = options;
  if (!isInTransaction) await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    return await makeProof(options);
  } catch (error) {
    if (error instanceof StoredTreeError)
      throw new NoProofError('tree-altered', `${error.message}.`, { cause: error });
    throw error;
  } finally {
    if (!isInTransaction) await client.query('COMMIT').catch(() => undefined);
  }
}

async function makeProof({
  client,
  log,
  sequence,
  checkpoint,
}: StoredEntryProofOptions): Promise<StoredEntryProof> {
  const { rows } = await client.query<{ size: string }>(
    'SELECT next_sequence AS size FROM bemi.logs WHERE log = $1',
    [log],
  );
  const size = Number(rows[0]!.size);
  if (sequence >= size)
    throw new NoProofError('no-entry', `There is no entry ${sequence}: the log has ${size}.`);
  const stored = await readStoredTree(client, log, size);
  const proven = parseCheckpoint(checkpoint ?? stored.checkpoint);
  if (proven.size > size)
    throw new NoProofError(
      'checkpoint-too-new',
      `The checkpoint is of ${proven.size} entries, and the log has ${size}: it was cut off, or an older copy restored.`,
    );
  const entry = await expectEntry(client, log, sequence, 'entry');
  const decoded = decodeRecord(entry.record);
  const parts = { entry, ...(await partsBeside(client, log, decoded)) };
  const last = Math.max(
    ...Object.values(parts).flatMap((part) => (part ? [decodeRecord(part.record).sequence] : [])),
  );
  if (last >= proven.size)
    throw new NoProofError(
      'checkpoint-too-old',
      `The checkpoint is of ${proven.size} entries, and the proof needs entry ${last}.`,
    );
  const text = await makeEntryProof(
    sha256Into,
    parts,
    checkpoint ?? stored.checkpoint,
    storedTiles(client, log, stored.state),
  );
  const isErased =
    entry.disclosed === null &&
    decoded.kind !== 'opaque' &&
    !(decoded.kind === 'commit' && !decoded.hasActor);
  return { text, kind: decoded.kind, isErased, checkpoint: proven };
}

/** The entries that say what this one means (docs/spec/proof.md, Parts). */
async function partsBeside(
  client: pg.ClientBase,
  log: number,
  entry: DecodedRecord,
): Promise<Record<'commit' | 'context' | 'relation' | 'created', PartToProve | undefined>> {
  const part = (sequence: number | undefined, name: string): Promise<PartToProve | undefined> =>
    sequence === undefined ? Promise.resolve(undefined) : expectEntry(client, log, sequence, name);
  const transaction = entry.kind === 'change' || entry.kind === 'context' ? entry.transaction : undefined;
  const commit = transaction === undefined ? undefined : await commitOf(client, log, transaction);
  const context =
    entry.kind === 'change'
      ? await contextOf(client, log, entry.transaction, entry.contextNumber)
      : undefined;
  return {
    commit: await part(commit, 'commit'),
    context: await part(context, 'context'),
    relation: await part(entry.kind === 'change' ? entry.relation : undefined, 'relation'),
    created: await part(0, 'created'),
  };
}

async function expectEntry(
  client: pg.ClientBase,
  log: number,
  sequence: number,
  name: string,
): Promise<PartToProve> {
  const part = await partToProve(client, log, sequence);
  if (part !== undefined) return part;
  throw name === 'entry'
    ? new NoProofError(
        'no-entry',
        `Entry ${sequence} is not there: retention has dropped it, or somebody deleted it.`,
      )
    : new NoProofError('part-missing', `Entry ${sequence}, the ${name} that the proof needs, is not there.`);
}

async function commitOf(client: pg.ClientBase, log: number, transaction: number): Promise<number> {
  const { rows } = await client.query<{ sequence: string }>(
    'SELECT sequence FROM bemi.transaction_log WHERE log = $1 AND transaction = $2 ORDER BY sequence LIMIT 1',
    [log, transaction],
  );
  const [row] = rows;
  if (row === undefined)
    throw new NoProofError('part-missing', `The commit of transaction ${transaction} is not there.`);
  return Number(row.sequence);
}

async function contextOf(
  client: pg.ClientBase,
  log: number,
  transaction: number,
  contextNumber: number,
): Promise<number | undefined> {
  const { rows } = await client.query<{ sequence: string }>(
    'SELECT sequence FROM bemi.context_log WHERE log = $1 AND transaction = $2 AND context_no = $3 LIMIT 1',
    [log, transaction, contextNumber],
  );
  return rows[0] && Number(rows[0].sequence);
}

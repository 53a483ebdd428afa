import { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { LogWriter } from '@bemi-db/trail/append/log-writer';
import { extendPartitions } from '@bemi-db/trail/partitions';
import { nowMicros } from '../clock.ts';
import type { Statement } from '../gap/accept-gap.ts';
import { ProblemError } from '../problem.ts';
import { nowhere } from './access-recording.ts';
import type { AccessSession } from './open-access-session.ts';

/** Entries of the log of accesses that were signed, and are gone with the part of the audit database that was lost. */
export interface LostAccesses {
  /** Entries that are left. */
  readonly entries: number;
  /** That there were, by a checkpoint that is known. */
  readonly lostSize: number;
  /** Of the checkpoints from here on. */
  readonly generation: number;
}

/** Somebody accepts that accesses are lost. */
export interface AccessGapRequest extends Statement {
  /** Asked before anything is changed. Throws to leave everything as it is. */
  readonly confirm: (lost: LostAccesses) => Promise<void>;
}

/** The log says what is lost, why, and who answers for it. The checkpoints from there on are of another generation. */
export async function acceptAccessGap(
  { writer, end, epoch, tree }: AccessSession,
  { reason, by, confirm }: AccessGapRequest,
): Promise<LostAccesses & { readonly sequence: number }> {
  if (!tree.lost) throw nothingLost();
  const { generation } = tree;
  const lost = { entries: end.nextSequence, lostSize: tree.lost.size, generation };
  await confirm(lost);
  await extendPartitions(writer.client, end.log, end.nextSequence);
  const batch = new EntryBatch(end.log, tree.tree);
  const { keyRequest } = tree;
  if (keyRequest) {
    const { id, kind, actor, payload } = keyRequest;
    batch.answer({ id, sequence: batch.event(kind, nowMicros(), actor, payload) });
  }
  const payload = {
    ...{ generation, fromLsn: '0/0', toLsn: '0/0', refused: 'log-cut', reason, by },
    lost: tree.lost.text,
  };
  const sequence = batch.event('gap', nowMicros(), undefined, JSON.stringify(payload));
  batch.complete();
  const unit = batch.takeComplete(nowhere);
  await new LogWriter({ client: writer.client, log: end.log, epoch }).append(unit);
  if (unit.head) tree.lastSigned.write(unit.head.checkpoint);
  return { ...lost, sequence };
}

export function nothingLost(): ProblemError {
  return new ProblemError({
    code: 'no-gap',
    message: 'There is no gap to accept: the log of accesses has all that was signed of it',
    fix: 'Start the worker.',
    kind: 'refuse',
  });
}

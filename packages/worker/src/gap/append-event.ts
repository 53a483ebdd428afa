import type { Relocation } from '@bemi-db/trail/append/append-unit';
import { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { LogWriter } from '@bemi-db/trail/append/log-writer';
import { nowMicros } from '../clock.ts';
import type { OpenSession } from '../open-session.ts';

/** An event that moves the log's position, and what it changes beside being said. */
export interface RelocatingEvent {
  readonly kind: 'gap' | 'skip';
  readonly payload: object;
  readonly relocation: Relocation;
}

/**
 * Appends one event alone, and remembers its checkpoint. For sessions that record nothing.
 *
 * @returns its sequence.
 */
export async function appendEvent(session: OpenSession, event: RelocatingEvent): Promise<number> {
  const { state, tree, system } = session;
  const batch = new EntryBatch(state.log, tree.tree);
  const { keyRequest } = tree;
  if (keyRequest) {
    const { id, kind, actor, payload } = keyRequest;
    batch.answer({ id, sequence: batch.event(kind, nowMicros(), actor, payload) });
  }
  const sequence = batch.event(event.kind, nowMicros(), undefined, JSON.stringify(event.payload));
  batch.complete();
  const { lastFinalLsn } = state;
  const { toLsn } = event.relocation;
  const progress = { lastFinalLsn, confirmedLsn: toLsn, timeline: system.timeline };
  const unit = batch.takeComplete(progress, event.relocation);
  const writer = new LogWriter({ client: session.writer.client, log: state.log, epoch: session.epoch });
  await writer.append(unit);
  if (unit.head) tree.lastSigned.write(unit.head.checkpoint);
  return sequence;
}

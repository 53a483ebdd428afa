import type { LifeEvent, LifeMoment } from './record-life.ts';

/** Which event of a life (the newest first) is the last one at a moment; as many as there are where none is. */
export function momentIndex(events: readonly LifeEvent[], { sequence, at }: LifeMoment): number {
  if (sequence === undefined && at === undefined) return 0;
  const index = events.findIndex(({ entry }) =>
    sequence !== undefined
      ? BigInt(entry.sequence) <= BigInt(sequence)
      : Date.parse(entry.timestamp) <= Date.parse(at!),
  );
  return index === -1 ? events.length : index;
}

import type { SourceState } from '@bemi-db/trail/sources';

/** A log's first entry: what it is, and from where it is complete. */
export function createdEvent(name: string, state: SourceState): object {
  const { logId, systemIdentifier, database, slot, publication, timeline, generation } = state;
  return {
    event: 'created',
    logId,
    name,
    systemIdentifier,
    database,
    slot,
    publication,
    timeline,
    generation,
    completeFromLsn: state.completeFromLsn,
  };
}

import { readI64, readU64Number } from '@bemi-db/proof/integer';
import { KIND_CHANGE, KIND_COMMIT, KIND_CONTEXT, KIND_EVENT } from '@bemi-db/proof/record';
import type { ExpectedSource } from './verify-source.ts';

const kindAt = 1;
const sequenceAt = 2;
const eventTimeAt = 10;
const eventKindLengthAt = 18;
const eventKindAt = 19;
const committedAtAt = 54;
const recordedAtAt = 62;

/** An event that a report lists. */
export interface ReportedEvent {
  readonly sequence: number;
  readonly kind: string;
  /** Microseconds since 2000-01-01 UTC. */
  readonly at: bigint;
  readonly payload: unknown;
}

const reportedKinds = new Set(['key', 'gap', 'skip', 'lineage', 'erasure', 'retention', 'hold']);

/** What a log says of itself, gathered while it is verified: for comparison with other tables, and for reports. */
export class LogFacts {
  /** Payloads of the `relation` events, by sequence. */
  readonly relations = new Map<number, string>();
  readonly source: ExpectedSource = {};
  readonly events: ReportedEvent[] = [];
  changes = 0;
  contexts = 0;
  transactions = 0;
  eventCount = 0;
  erased = 0;
  /** Times of commits by the source's clock, in microseconds since 2000-01-01 UTC. */
  firstCommitAt: bigint | undefined;
  lastCommitAt: bigint | undefined;
  lastRecordedAt: bigint | undefined;

  entry(
    bytes: Uint8Array,
    start: number,
    end: number,
    payload: string | null | undefined,
    isErased: boolean,
  ): void {
    if (isErased) this.erased++;
    switch (bytes[start + kindAt]) {
      case KIND_CHANGE:
        this.changes++;
        break;
      case KIND_CONTEXT:
        this.contexts++;
        break;
      case KIND_COMMIT:
        this.#commit(bytes, start);
        break;
      case KIND_EVENT:
        if (end - start > eventKindAt) this.#event(bytes, start, payload);
    }
  }

  #commit(bytes: Uint8Array, start: number): void {
    // The bounds as two halves would save nothing: a commit costs more elsewhere.
    const committedAt = readI64(bytes, start + committedAtAt);
    this.transactions++;
    if (this.firstCommitAt === undefined || committedAt < this.firstCommitAt)
      this.firstCommitAt = committedAt;
    if (this.lastCommitAt === undefined || committedAt > this.lastCommitAt) this.lastCommitAt = committedAt;
    this.lastRecordedAt = readI64(bytes, start + recordedAtAt);
  }

  #event(bytes: Uint8Array, start: number, text: string | null | undefined): void {
    this.eventCount++;
    const kindEnd = start + eventKindAt + bytes[start + eventKindLengthAt]!;
    const kind = new TextDecoder().decode(bytes.subarray(start + eventKindAt, kindEnd));
    if (typeof text !== 'string') return;
    const sequence = readU64Number(bytes, start + sequenceAt);
    if (kind === 'relation') this.relations.set(sequence, text);
    const isOfSource = kind === 'lifecycle' || kind === 'lineage' || kind === 'gap';
    if (!isOfSource && !reportedKinds.has(kind)) return;
    let payload: unknown;
    try {
      payload = JSON.parse(text);
    } catch {
      return; // the verifier says that it is malformed
    }
    if (typeof payload !== 'object' || payload === null) return;
    if (isOfSource) this.#source(kind, payload as Record<string, unknown>);
    if (reportedKinds.has(kind))
      this.events.push({ sequence, kind, at: readI64(bytes, start + eventTimeAt), payload });
  }

  #source(kind: string, payload: Record<string, unknown>): void {
    const { source } = this;
    if (kind === 'lifecycle' && payload['event'] === 'created') {
      const { systemIdentifier, database, completeFromLsn, generation, timeline } = payload;
      Object.assign(source, { systemIdentifier, database, completeFromLsn, generation, timeline });
    }
    if (kind === 'gap') source.generation = payload['generation'];
    if (kind === 'lineage') {
      if (payload['toTimeline'] !== undefined) source.timeline = payload['toTimeline'];
      if (payload['systemIdentifier'] !== undefined) source.systemIdentifier = payload['systemIdentifier'];
    }
  }
}

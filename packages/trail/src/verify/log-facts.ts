import { readI64, readU64, readU64Number } from '@bemi-db/proof/integer';
import { parseLsn } from '@bemi-db/proof/lsn';
import { KIND_CHANGE, KIND_COMMIT, KIND_CONTEXT, KIND_EVENT } from '@bemi-db/proof/record';
import { rulesSet } from '../rules/rules-event.ts';
import type { ExpectedSource } from './verify-source.ts';

const kindAt = 1;
const sequenceAt = 2;
const eventTimeAt = 10;
const eventKindLengthAt = 18;
const eventKindAt = 19;
const endLsnAt = 30;
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

/** Positions of the source between which all that was committed to the published tables is in the log. */
export interface CoveredRange {
  readonly generation: number;
  readonly fromLsn: bigint;
  toLsn: bigint;
}

/** Two entries that follow one another by the worker's clock, with nothing said in between. */
export interface Silence {
  readonly fromSequence: number;
  readonly toSequence: number;
  /** Microseconds since 2000-01-01 UTC. */
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * {@link LogFacts} between two entries, as plain data: objects, arrays, texts, numbers and bigints. What came from the
 * payloads of events is JSON text.
 */
export interface LogFactsState {
  readonly relations: readonly (readonly [number, string])[];
  readonly source: string;
  readonly events: readonly (Omit<ReportedEvent, 'payload'> & { readonly payload: string })[];
  readonly changes: number;
  readonly contexts: number;
  readonly transactions: number;
  readonly eventCount: number;
  readonly erased: number;
  readonly firstCommitAt?: bigint | undefined;
  readonly lastCommitAt?: bigint | undefined;
  readonly lastRecordedAt?: bigint | undefined;
  readonly aliveCount: number;
  readonly covered: readonly CoveredRange[];
  readonly longestSilence?: Silence | undefined;
  readonly heard?: Sign | undefined;
}

/** A sign of life. */
interface Sign {
  readonly sequence: number;
  readonly at: bigint;
}

/** Events that say what is recorded, from where to where. */
const sourceKinds = new Set(['lifecycle', 'lineage', 'gap', 'skip', 'alive']);
const reportedKinds = new Set(['key', 'gap', 'skip', 'lineage', 'erasure', 'retention', 'hold', 'config']);

/** What a log says of itself, gathered while it is verified: for comparison with other tables, and for reports. */
export class LogFacts {
  /** Payloads of the `relation` events, by sequence. */
  readonly relations: Map<number, string>;
  readonly source: ExpectedSource;
  readonly events: ReportedEvent[];
  changes = 0;
  contexts = 0;
  transactions = 0;
  eventCount = 0;
  erased = 0;
  /** Times of commits by the source's clock, in microseconds since 2000-01-01 UTC. */
  firstCommitAt: bigint | undefined;
  lastCommitAt: bigint | undefined;
  lastRecordedAt: bigint | undefined;
  aliveCount = 0;
  readonly covered: CoveredRange[];
  /** The longest time between two signs of life: commits, `alive` events, starts of the worker. */
  longestSilence: Silence | undefined;
  #heard: Sign | undefined;

  /** @param saved - of others that were given the entries up to here */
  constructor(saved?: LogFactsState) {
    this.relations = new Map(saved?.relations);
    this.source = JSON.parse(saved?.source ?? '{}') as ExpectedSource;
    this.events = (saved?.events ?? []).map((event) => ({
      ...event,
      payload: JSON.parse(event.payload) as unknown,
    }));
    this.covered = [...(saved?.covered ?? [])];
    if (saved === undefined) return;
    this.changes = saved.changes;
    this.contexts = saved.contexts;
    this.transactions = saved.transactions;
    this.eventCount = saved.eventCount;
    this.erased = saved.erased;
    this.firstCommitAt = saved.firstCommitAt;
    this.lastCommitAt = saved.lastCommitAt;
    this.lastRecordedAt = saved.lastRecordedAt;
    this.aliveCount = saved.aliveCount;
    this.longestSilence = saved.longestSilence;
    this.#heard = saved.heard;
  }

  /** To be written down at once: it is no copy. */
  save(): LogFactsState {
    return {
      relations: [...this.relations],
      source: JSON.stringify(this.source),
      events: this.events.map((event) => ({ ...event, payload: JSON.stringify(event.payload) })),
      changes: this.changes,
      contexts: this.contexts,
      transactions: this.transactions,
      eventCount: this.eventCount,
      erased: this.erased,
      firstCommitAt: this.firstCommitAt,
      lastCommitAt: this.lastCommitAt,
      lastRecordedAt: this.lastRecordedAt,
      aliveCount: this.aliveCount,
      covered: this.covered,
      longestSilence: this.longestSilence,
      heard: this.#heard,
    };
  }

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
    this.#hear(readU64Number(bytes, start + sequenceAt), this.lastRecordedAt);
    this.#coverTo(readU64(bytes, start + endLsnAt));
  }

  #hear(sequence: number, at: bigint): void {
    const last = this.#heard;
    this.#heard = { sequence, at };
    if (last === undefined) return;
    const longest = this.longestSilence;
    if (longest === undefined || at - last.at > longest.to - longest.from)
      this.longestSilence = { fromSequence: last.sequence, toSequence: sequence, from: last.at, to: at };
  }

  /** `created` and `gap` events begin a range, `skip` events another of the same generation. */
  #coverFrom(lsn: unknown, generation: unknown): void {
    const from = typeof lsn === 'string' ? parseLsn(lsn) : undefined;
    if (from !== undefined && typeof generation === 'number')
      this.covered.push({ generation, fromLsn: from, toLsn: from });
  }

  #coverTo(lsn: bigint): void {
    const range = this.covered.at(-1);
    if (range !== undefined && lsn > range.toLsn) range.toLsn = lsn;
  }

  #event(bytes: Uint8Array, start: number, text: string | null | undefined): void {
    this.eventCount++;
    const kindEnd = start + eventKindAt + bytes[start + eventKindLengthAt]!;
    const kind = new TextDecoder().decode(bytes.subarray(start + eventKindAt, kindEnd));
    if (typeof text !== 'string') return;
    const sequence = readU64Number(bytes, start + sequenceAt);
    if (kind === 'relation') this.relations.set(sequence, text);
    const isOfSource = sourceKinds.has(kind);
    if (!isOfSource && !reportedKinds.has(kind)) return;
    let payload: unknown;
    try {
      payload = JSON.parse(text);
    } catch {
      return; // the verifier says that it is malformed
    }
    if (typeof payload !== 'object' || payload === null) return;
    const at = readI64(bytes, start + eventTimeAt);
    if (kind === 'alive' || kind === 'lifecycle') this.#hear(sequence, at);
    if (isOfSource) this.#source(kind, payload as Record<string, unknown>);
    // Of the other `config` events the keys of contexts are kept in a table, and compared there.
    const isOther = kind === 'config' && (payload as Record<string, unknown>)['event'] !== rulesSet;
    if (reportedKinds.has(kind) && !isOther) this.events.push({ sequence, kind, at, payload });
  }

  #source(kind: string, payload: Record<string, unknown>): void {
    const { source } = this;
    if (kind === 'lifecycle' && payload['event'] === 'created') {
      const { systemIdentifier, database, completeFromLsn, generation, timeline } = payload;
      Object.assign(source, { systemIdentifier, database, completeFromLsn, generation, timeline });
      // A log without a source covers nothing of one.
      if (systemIdentifier !== undefined) this.#coverFrom(completeFromLsn, generation);
    }
    if (kind === 'gap') {
      source.generation = payload['generation'];
      if (payload['timeline'] !== undefined) source.timeline = payload['timeline'];
      if (payload['systemIdentifier'] !== undefined) source.systemIdentifier = payload['systemIdentifier'];
    }
    const hasSource = source.systemIdentifier !== undefined;
    if (hasSource && (kind === 'gap' || kind === 'skip'))
      this.#coverFrom(payload['toLsn'], source.generation);
    if (kind === 'alive') {
      this.aliveCount++;
      const to = payload['toLsn'];
      this.#coverTo((typeof to === 'string' ? parseLsn(to) : undefined) ?? 0n);
    }
    if (kind === 'lineage') {
      if (payload['toTimeline'] !== undefined) source.timeline = payload['toTimeline'];
      if (payload['systemIdentifier'] !== undefined) source.systemIdentifier = payload['systemIdentifier'];
    }
  }
}

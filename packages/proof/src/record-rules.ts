import { CoverageRule } from './coverage-rule.ts';
import type { Finding } from './finding.ts';
import { readU32, readU64Number } from './integer.ts';
import {
  CHANGE_BYTES,
  COMMIT_BYTES,
  CONTEXT_BYTES,
  decodeRecord,
  KIND_CHANGE,
  KIND_COMMIT,
  KIND_CONTEXT,
  KIND_EVENT,
  RECORD_VERSION,
} from './record.ts';
import { SequenceRanges } from './sequence-ranges.ts';
import { TransactionRules } from './transaction-rules.ts';

/**
 * The rules of a whole log (docs/spec/log.md) as far as records show them by themselves: 3, 4, 5, of 2 the kinds of the
 * first two entries, and of generations that they only grow, and only after a `gap` event. What events say is not in
 * their records: which key signs, what a gap, a skip or retention covers, and what was erased is taken as it may be.
 *
 * It is given records in ascending order of their sequences. After a hole, what the missing ones could have said is not
 * held against those that follow.
 */
export class RecordRules {
  readonly findings: Finding[] = [];
  changes = 0;
  contexts = 0;
  transactions = 0;
  opaque = 0;
  /** How many events there are of each kind. */
  readonly events = new Map<string, number>();
  /** Ranges without records that retention may have dropped: an event of it follows. */
  readonly dropped = new SequenceRanges();

  readonly #transactions = new TransactionRules((finding) => this.findings.push(finding));
  readonly #coverage = new CoverageRule((finding) => this.findings.push(finding));
  readonly #relations = new Set<number>();
  readonly #missing = new SequenceRanges();
  readonly #unreadable = new SequenceRanges();
  #next = 0;
  #relation = -1;
  #generation: number | undefined;
  #hasGap = false;
  #lastRetention = -1;

  /** The record bytes[start, end) of an entry. */
  entry(bytes: Uint8Array, start: number, end: number): void {
    const sequence = readU64Number(bytes, start + 2);
    if (sequence > this.#next) this.missing(sequence);
    this.#next = sequence + 1;
    const kind = bytes[start] === RECORD_VERSION ? bytes[start + 1] : 0;
    const length = end - start;
    if (sequence < 2 && kind !== KIND_EVENT) this.findings.push({ code: 'broken-start', sequence });
    if (kind === KIND_CHANGE && length === CHANGE_BYTES) this.#change(bytes, start, sequence);
    else if (kind === KIND_CONTEXT && length === CONTEXT_BYTES) {
      this.contexts++;
      this.#transactions.context(bytes, start, sequence);
    } else if (kind === KIND_COMMIT && length === COMMIT_BYTES) this.#commit(bytes, start, sequence);
    else if (kind === KIND_EVENT) this.#event(bytes.subarray(start, end), sequence);
    else if (kind === KIND_CHANGE || kind === KIND_CONTEXT || kind === KIND_COMMIT)
      this.findings.push({ code: 'malformed-record', sequence });
    else {
      this.opaque++;
      this.#transactions.uncertain();
    }
  }

  /** There are no records up to `until`. `entry` says so by itself. */
  missing(until: number): void {
    if (until <= this.#next) return;
    this.#missing.add(this.#next, until - 1);
    this.#skipTo(until);
  }

  /** The next record is not the one that was logged: what it says counts for nothing. */
  unreadable(): void {
    this.#unreadable.add(this.#next);
    this.#skipTo(this.#next + 1);
  }

  #skipTo(next: number): void {
    this.#next = next;
    this.#transactions.uncertain();
    this.#coverage.unknown();
    this.#hasGap = true; // one may have been among them
  }

  finish(): void {
    this.#transactions.finish(this.#next - 1);
    for (const [first, last] of this.#missing.ranges) {
      if (last < this.#lastRetention) this.dropped.add(first, last);
      else this.findings.push({ code: 'missing', sequence: first, count: last - first + 1 });
    }
  }

  #change(bytes: Uint8Array, start: number, sequence: number): void {
    this.changes++;
    this.#transactions.change(bytes, start, sequence);
    const relation = readU64Number(bytes, start + 18);
    if (relation === this.#relation) return;
    const isKnown = this.#relations.has(relation) || this.#isHidden(relation);
    if (isKnown && relation < sequence) this.#relation = relation;
    else this.findings.push({ code: 'unknown-relation', sequence, relation });
  }

  #isHidden(sequence: number): boolean {
    return [this.#missing, this.#unreadable].some(({ ranges }) =>
      ranges.some(([first, last]) => sequence >= first && sequence <= last),
    );
  }

  #commit(bytes: Uint8Array, start: number, sequence: number): void {
    this.transactions++;
    this.#transactions.commit(bytes, start, sequence);
    this.#coverage.commit(bytes, start, sequence);
    const generation = readU32(bytes, start + 18);
    const expected = this.#generation ?? generation;
    if (generation === expected || (this.#hasGap && generation > expected)) this.#generation = generation;
    else this.findings.push({ code: 'wrong-generation', sequence, generation, expected });
    this.#hasGap = false;
  }

  #event(record: Uint8Array, sequence: number): void {
    const kind = eventKindOf(record);
    if (kind === undefined) {
      this.findings.push({ code: 'malformed-record', sequence });
      return;
    }
    this.events.set(kind, (this.events.get(kind) ?? 0) + 1);
    if (kind !== (['lifecycle', 'key'][sequence] ?? kind))
      this.findings.push({ code: 'broken-start', sequence });
    if (kind === 'relation') this.#relations.add(sequence);
    if (kind === 'retention') this.#lastRetention = sequence;
    if (kind === 'gap' || kind === 'skip') this.#coverage.unknown();
    if (kind === 'gap') this.#hasGap = true;
  }
}

function eventKindOf(record: Uint8Array): string | undefined {
  try {
    const decoded = decodeRecord(record);
    return decoded.kind === 'event' ? decoded.eventKind : undefined;
  } catch {
    return undefined;
  }
}

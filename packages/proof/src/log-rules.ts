import { decodeBase64 } from './base64.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { CoverageRule, type CoverageRuleState } from './coverage-rule.ts';
import { EventPayload } from './event-payload.ts';
import type { Finding, Notice } from './finding.ts';
import { sameBytes } from './hash.ts';
import { readI64, readU32, readU64Number } from './integer.ts';
import { type KeyRotation, verifyRotation } from './key-rotation.ts';
import { formatLsn } from './lsn.ts';
import { isLogId } from './origin.ts';
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
import { daysToMs, RetentionPeriods, type RetentionSetting } from './retention-periods.ts';
import { SequenceRanges } from './sequence-ranges.ts';
import type { Verify } from './signature.ts';
import { TransactionRules, type TransactionRulesState } from './transaction-rules.ts';

/** What holds from an event on, for checkpoints whose size is greater than its sequence. */
export interface InForce<T> {
  readonly sequence: number;
  readonly value: T;
}

interface Rotation {
  readonly sequence: number;
  readonly rotation: KeyRotation;
  readonly signature: Uint8Array;
}

type Ranges = readonly (readonly [number, number])[];

/** {@link LogRules} between two entries, as plain data. */
export interface LogRulesState {
  readonly findings: readonly Finding[];
  readonly notices: readonly Notice[];
  readonly keys: readonly InForce<Uint8Array>[];
  readonly generations: readonly InForce<number>[];
  /** Checkpoints as texts. */
  readonly givenUp: readonly InForce<string>[];
  readonly logId?: string | undefined;
  readonly opaque: number;
  readonly next: number;
  readonly missing: Ranges;
  readonly erased: Ranges;
  readonly erasures: Ranges;
  readonly droppedBefore: number;
  readonly periods: readonly RetentionSetting[];
  readonly events: readonly number[];
  readonly rotations: readonly Rotation[];
  readonly transactions: TransactionRulesState;
  readonly coverage: CoverageRuleState;
  readonly relations: readonly number[];
  readonly relation: number;
}

/**
 * The rules of a whole log (docs/spec/log.md) that speak of what records say: 2 to 7, and of rule 8 which key and
 * generation are in force. It is given all entries in ascending order of their sequences, and hashes nothing.
 *
 * After a hole, what the missing entries could have said is not held against those that follow.
 */
export class LogRules {
  readonly findings: Finding[];
  readonly notices: Notice[];
  readonly keys: InForce<Uint8Array>[];
  readonly generations: InForce<number>[];
  /** Checkpoints that `gap` events gave up. */
  readonly givenUp: InForce<Checkpoint>[] = [];
  logId: string | undefined;

  #opaque = 0;
  #next = 0;
  readonly #missing: SequenceRanges;
  readonly #erased: SequenceRanges;
  readonly #erasures: SequenceRanges;
  #droppedBefore = 0;
  readonly #periods: RetentionPeriods;
  /** Sequences of the events, ascending. */
  readonly #events: number[];
  readonly #rotations: Rotation[];
  readonly #givenUpTexts: InForce<string>[] = [];

  readonly #transactions: TransactionRules;
  readonly #coverage: CoverageRule;

  // Rule 4. Most changes are of the relation that the one before was of.
  readonly #relations: Set<number>;
  #relation = -1;

  /** @param saved - of rules that were given the entries up to here */
  constructor(saved?: LogRulesState) {
    const report = (finding: Finding) => this.#report(finding);
    this.#transactions = new TransactionRules(report, saved?.transactions);
    this.#coverage = new CoverageRule(report, saved?.coverage);
    this.#missing = new SequenceRanges(saved?.missing);
    this.#erased = new SequenceRanges(saved?.erased);
    this.#erasures = new SequenceRanges(saved?.erasures);
    this.#periods = new RetentionPeriods(saved?.periods);
    this.#relations = new Set(saved?.relations);
    this.findings = [...(saved?.findings ?? [])];
    this.notices = [...(saved?.notices ?? [])];
    this.keys = [...(saved?.keys ?? [])];
    this.generations = [...(saved?.generations ?? [])];
    this.#events = [...(saved?.events ?? [])];
    this.#rotations = [...(saved?.rotations ?? [])];
    if (saved === undefined) return;
    for (const { sequence, value } of saved.givenUp) this.#giveUp(sequence, value);
    this.logId = saved.logId;
    this.#opaque = saved.opaque;
    this.#next = saved.next;
    this.#droppedBefore = saved.droppedBefore;
    this.#relation = saved.relation;
  }

  save(): LogRulesState {
    return {
      findings: this.findings,
      notices: this.notices,
      keys: this.keys,
      generations: this.generations,
      givenUp: this.#givenUpTexts,
      logId: this.logId,
      opaque: this.#opaque,
      next: this.#next,
      missing: this.#missing.ranges,
      erased: this.#erased.ranges,
      erasures: this.#erasures.ranges,
      droppedBefore: this.#droppedBefore,
      periods: this.#periods.settings,
      events: this.#events,
      rotations: this.#rotations,
      transactions: this.#transactions.save(),
      coverage: this.#coverage.save(),
      relations: [...this.#relations],
      relation: this.#relation,
    };
  }

  /**
   * The record bytes[start, end) of an entry.
   *
   * @param payload - of an event: its payload's text, or null where it is erased or NULL; else undefined
   * @param erased - whether its salt is gone
   */
  entry(
    bytes: Uint8Array,
    start: number,
    end: number,
    payload: string | null | undefined,
    erased: boolean,
  ): void {
    const sequence = readU64Number(bytes, start + 2);
    if (sequence > this.#next) this.#hole(sequence);
    this.#next = sequence + 1;
    if (erased) this.#erased.add(sequence);
    const kind = bytes[start] === RECORD_VERSION ? bytes[start + 1] : 0;
    if (sequence < 2 && (kind !== KIND_EVENT || payload === undefined))
      this.#report({ code: 'broken-start', sequence });
    if (kind === KIND_CHANGE && end - start === CHANGE_BYTES) this.#change(bytes, start, sequence);
    else if (kind === KIND_CONTEXT && end - start === CONTEXT_BYTES)
      this.#transactions.context(bytes, start, sequence);
    else if (kind === KIND_COMMIT && end - start === COMMIT_BYTES) this.#commit(bytes, start, sequence);
    else if (kind === KIND_EVENT) this.#event(bytes.subarray(start, end), sequence, payload ?? null);
    else if (kind === KIND_CHANGE || kind === KIND_CONTEXT || kind === KIND_COMMIT)
      this.#report({ code: 'malformed-record', sequence });
    else {
      this.#opaque++;
      this.#transactions.uncertain();
    }
  }

  #hole(until: number): void {
    this.#missing.add(this.#next, until - 1);
    this.#transactions.uncertain();
    this.#coverage.unknown();
  }

  #change(bytes: Uint8Array, start: number, sequence: number): void {
    this.#transactions.change(bytes, start, sequence);
    const relation = readU64Number(bytes, start + 18);
    if (relation === this.#relation) return;
    if (this.#relations.has(relation)) this.#relation = relation;
    else this.#report({ code: 'unknown-relation', sequence, relation });
  }

  #commit(bytes: Uint8Array, start: number, sequence: number): void {
    this.#transactions.commit(bytes, start, sequence);
    this.#coverage.commit(bytes, start, sequence);
    const generation = readU32(bytes, start + 18);
    const expected = this.generations.at(-1)?.value;
    if (expected !== undefined && generation !== expected)
      this.#report({ code: 'wrong-generation', sequence, generation, expected });
  }

  #event(record: Uint8Array, sequence: number, text: string | null): void {
    const eventKind = eventKindOf(record);
    if (eventKind === undefined) {
      this.#report({ code: 'malformed-record', sequence });
      return;
    }
    this.#events.push(sequence);
    if (eventKind === 'relation') this.#relations.add(sequence);
    const payload = text === null ? undefined : EventPayload.parse(text);
    const atMs = millisecondsOf(readI64(record, EVENT_TIME));
    const understood = payload !== undefined && this.#interpret(eventKind, payload, sequence, atMs);
    const start =
      sequence === 0 ? eventKind === 'lifecycle' : sequence === 1 ? eventKind === 'key' : undefined;
    if (start !== undefined) {
      if (!start || !understood) this.#report({ code: 'broken-start', sequence });
    } else if (!understood && INTERPRETED.has(eventKind)) {
      this.#report({ code: 'malformed-event', sequence, eventKind });
    }
  }

  /** Whether the event says what one of its kind must. */
  #interpret(eventKind: string, payload: EventPayload, sequence: number, atMs: number): boolean {
    switch (eventKind) {
      case 'lifecycle':
        return payload.text('event') === 'created' ? this.#created(payload, sequence) : sequence !== 0;
      case 'key':
        return this.#key(payload, sequence);
      case 'gap':
        return this.#gap(payload, sequence);
      case 'skip':
        return this.#explain('wal-skipped', payload, sequence);
      case 'erasure': {
        const ranges = payload.ranges('entries');
        for (const [first, last] of ranges ?? []) this.#erasures.add(first, last);
        return ranges !== undefined;
      }
      case 'retention': {
        const before = payload.count('before');
        this.#droppedBefore = Math.max(this.#droppedBefore, Math.min(before ?? 0, sequence));
        if (before !== undefined) this.#countEvents(payload.count('events'), before, sequence);
        this.#checkAge(payload.text('olderThan'), sequence, atMs);
        return before !== undefined;
      }
      case 'config': {
        const setting = payload.retentionSetting(atMs);
        if (setting !== undefined) this.#periods.add(setting);
        return true;
      }
      default:
        return true;
    }
  }

  /** What is dropped is older than the log says that it keeps everything, where it says so. */
  #checkAge(olderThan: string | undefined, sequence: number, atMs: number): void {
    const { longest } = this.#periods.at(atMs);
    if (longest === undefined) return;
    const moment = Date.parse(olderThan ?? '');
    if (moment <= atMs - daysToMs(longest)) return;
    this.#report({ code: 'dropped-early', sequence, days: longest });
  }

  /** In a hole that retention explains, nobody sees whether it was a change or an event that is missing: they are counted. */
  #countEvents(expected: number | undefined, before: number, sequence: number): void {
    if (expected === undefined) return;
    const found = this.#events.filter((event) => event < before).length;
    if (found < expected) this.#report({ code: 'events-missing', sequence, before, count: expected - found });
  }

  #created(payload: EventPayload, sequence: number): boolean {
    const logId = payload.text('logId');
    const from = payload.lsn('completeFromLsn');
    const generation = payload.count('generation');
    if (sequence !== 0 || logId === undefined || !isLogId(logId) || from === undefined || !generation)
      return false;
    this.logId = logId;
    this.generations.push({ sequence, value: generation });
    this.#coverage.startAt(from);
    return true;
  }

  #key(payload: EventPayload, sequence: number): boolean {
    const event = payload.text('event');
    const publicKey = decodeBase64(payload.text('publicKey') ?? '');
    if (publicKey?.length !== 32 || (event === 'created') !== (sequence === 1)) return false;
    const current = this.keys.at(-1)?.value;
    if (event !== 'created') {
      const previous = decodeBase64(payload.text('previous') ?? '');
      if (previous?.length !== 32) return false;
      const signature = decodeBase64(payload.text('signature') ?? '');
      const follows = current === undefined || sameBytes(previous, current);
      if (event === 'rotated') {
        if (!follows || signature === undefined || this.logId === undefined)
          this.#report({ code: 'bad-rotation', sequence });
        else
          this.#rotations.push({ sequence, rotation: { logId: this.logId, previous, publicKey }, signature });
      } else if (event === 'replaced') {
        if (!follows) this.#report({ code: 'bad-rotation', sequence });
        this.notices.push({ code: 'key-replaced', sequence });
      } else return false;
    }
    this.keys.push({ sequence, value: publicKey });
    return true;
  }

  #gap(payload: EventPayload, sequence: number): boolean {
    const generation = payload.count('generation');
    if (!generation || !this.#explain('gap-accepted', payload, sequence)) return false;
    const current = this.generations.at(-1)?.value;
    if (current !== undefined && generation <= current)
      this.#report({ code: 'wrong-generation', sequence, generation, expected: current + 1 });
    this.generations.push({ sequence, value: generation });
    const lost = payload.text('lost');
    if (lost === undefined) return true;
    try {
      this.#giveUp(sequence, lost);
      return true;
    } catch {
      return false;
    }
  }

  #giveUp(sequence: number, text: string): void {
    this.givenUp.push({ sequence, value: parseCheckpoint(text) });
    this.#givenUpTexts.push({ sequence, value: text });
  }

  #explain(code: 'gap-accepted' | 'wal-skipped', payload: EventPayload, sequence: number): boolean {
    const from = payload.lsn('fromLsn');
    const to = payload.lsn('toLsn');
    if (from === undefined || to === undefined) return false;
    this.#coverage.explain(to);
    this.notices.push({ code, sequence, fromLsn: formatLsn(from), toLsn: formatLsn(to) });
    return true;
  }

  /** What only the whole log tells: holes that no retention explains, erased entries that no event names. */
  async finish(verify: Verify): Promise<void> {
    this.#transactions.finish(this.#next - 1);
    for (const [first, last] of this.#missing.ranges) {
      // The log's first two entries are events, which stay.
      const from = first < 2 ? first : Math.max(first, this.#droppedBefore);
      if (from <= last) this.#report({ code: 'missing', sequence: from, count: last - from + 1 });
    }
    for (const [first, last] of this.#erased.without(this.#erasures))
      this.#report({ code: 'erased-without-event', sequence: first, count: last - first + 1 });
    for (const { sequence, rotation, signature } of this.#rotations)
      if (!(await verifyRotation(rotation, signature, verify)))
        this.#report({ code: 'bad-rotation', sequence });
    if (this.#droppedBefore > 0) this.notices.push({ code: 'entries-dropped', before: this.#droppedBefore });
    if (this.#opaque > 0) this.notices.push({ code: 'opaque-entries', count: this.#opaque });
  }

  #report(finding: Finding): void {
    this.findings.push(finding);
  }
}

const INTERPRETED: ReadonlySet<string> = new Set(['lifecycle', 'key', 'gap', 'skip', 'erasure', 'retention']);

function eventKindOf(record: Uint8Array): string | undefined {
  try {
    const decoded = decodeRecord(record);
    return decoded.kind === 'event' ? decoded.eventKind : undefined;
  } catch {
    return undefined;
  }
}

/** Where the record of an event has its time. */
const EVENT_TIME = 10;
const MILLISECONDS_TO_2000 = 946_684_800_000;

function millisecondsOf(micros: bigint): number {
  return Number(micros / 1000n) + MILLISECONDS_TO_2000;
}

/** What is in force for a checkpoint of this size: the value of the last event below it. */
export function inForceAt<T>(values: readonly InForce<T>[], size: number): T | undefined {
  return values.findLast(({ sequence }) => sequence < size)?.value;
}

import { formatLsn, type Lsn, parseLsn, zeroLsn } from '@bemi-db/replication/lsn';
import type { RecordedRules } from '@bemi-db/trail/rules/recorded-rules';
import type { RulesEvent } from '@bemi-db/trail/rules/rules-event';
import { CompiledRules } from '@bemi-db/trail/rules/table-rules';
import { isWithoutRules, noRules, type TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import type { TableShape } from '../table-shape.ts';
import { type TableTreatment, tableTreatment } from './table-treatment.ts';
import type { ValueHash } from './value-hash.ts';

/** Rules that judge transactions from a position on. */
export class PeriodRules {
  readonly #rules: CompiledRules;
  readonly #hash: ValueHash | undefined;

  constructor(rules: TrackingRules, hash: ValueHash | undefined) {
    this.#rules = new CompiledRules(rules);
    this.#hash = hash;
  }

  /** What they mean for a table; put together once for each shape. `undefined` where nothing. */
  of(shape: TableShape): TableTreatment | undefined {
    if (shape.treatedBy !== this) {
      shape.treatment = tableTreatment(this.#rules, shape, this.#hash);
      shape.treatedBy = this;
    }
    return shape.treatment;
  }
}

interface Period {
  readonly fromLsn: Lsn;
  /** `undefined` where there are none. */
  readonly rules: PeriodRules | undefined;
}

/** What the log says is in force. */
export interface CurrentRules {
  /** Of the entry that says so. */
  readonly sequence: number;
  readonly event: RulesEvent;
}

/**
 * The rules of a log's source, as its `config` events say, and when which were in force.
 *
 * A transaction is judged by the rules that were in force at the position of its commit, whenever it comes: one that is sent
 * again after a crash, and of which nothing was recorded, must again come to nothing. So each event says from which position
 * on it counts, which is after all that was read before it was appended.
 */
export class RulesInForce {
  readonly #hash: ValueHash | undefined;
  readonly #periods: Period[] = [{ fromLsn: zeroLsn, rules: undefined }];
  #last: Period = this.#periods[0]!;
  #current: CurrentRules | undefined;

  constructor(recorded: readonly RecordedRules[], hash: ValueHash | undefined) {
    this.#hash = hash;
    for (const event of recorded) this.apply(event, event.sequence);
  }

  /** `undefined` where none were ever set. */
  get current(): CurrentRules | undefined {
    return this.#current;
  }

  /** The rules in force, which may be none: for who asks what they mean for a table (`tableRules`). */
  get rules(): TrackingRules {
    return this.#current?.event.rules ?? noRules;
  }

  /** Those for a transaction that commits at this position. */
  at(finalLsn: Lsn): PeriodRules | undefined {
    if (finalLsn >= this.#last.fromLsn) return this.#last.rules;
    return this.#periods.findLast(({ fromLsn }) => fromLsn <= finalLsn)?.rules;
  }

  /** Takes what an event says, at the moment at which it is appended. */
  apply(event: RulesEvent, sequence: number): void {
    const rules = isWithoutRules(event.rules) ? undefined : new PeriodRules(event.rules, this.#hash);
    this.#last = { fromLsn: parseLsn(event.fromLsn), rules };
    this.#periods.push(this.#last);
    this.#current = { sequence, event };
  }

  /** The event that sets rules from a position on: the members in the order of the specification. */
  event(
    rules: TrackingRules,
    fromLsn: Lsn,
    said: Pick<RulesEvent, 'origin' | 'file' | 'reason' | 'by'>,
  ): RulesEvent {
    const hides = Object.keys(rules.redact).length > 0;
    return {
      event: 'rules-set',
      rules,
      fromLsn: formatLsn(fromLsn),
      ...said,
      ...(hides && this.#hash ? { hashKey: this.#hash.keyId } : {}),
    };
  }
}

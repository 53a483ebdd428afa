import type { Finding } from './finding.ts';
import { readU32, readU64 } from './integer.ts';
import { formatLsn } from './lsn.ts';

const UNKNOWN = -1;

/** {@link CoverageRule} between two entries, as plain data. */
export interface CoverageRuleState {
  readonly endHigh: number;
  readonly endLow: number;
  readonly explained: readonly bigint[];
}

/**
 * Rule 5 of a whole log (docs/spec/log.md): a commit covers the WAL from where the commit before it ended, or from
 * where an event in between says. LSNs are kept as two halves: no bigint for a commit that is as it should be.
 */
export class CoverageRule {
  readonly #report: (finding: Finding) => void;
  #endHigh = UNKNOWN;
  #endLow = 0;
  #explained: bigint[] = [];

  /** @param saved - of a rule that was given the entries up to here */
  constructor(report: (finding: Finding) => void, saved?: CoverageRuleState) {
    this.#report = report;
    if (saved === undefined) return;
    this.#endHigh = saved.endHigh;
    this.#endLow = saved.endLow;
    this.#explained = [...saved.explained];
  }

  save(): CoverageRuleState {
    return { endHigh: this.#endHigh, endLow: this.#endLow, explained: this.#explained };
  }

  /** The log is complete from here on. */
  startAt(lsn: bigint): void {
    this.#endHigh = Number(lsn >> 32n);
    this.#endLow = Number(lsn & 0xffffffffn);
  }

  /** A `gap` or `skip` event says that recording goes on from here. */
  explain(toLsn: bigint): void {
    this.#explained.push(toLsn);
  }

  /** Entries are missing: where the commit before ended is not known. */
  unknown(): void {
    this.#endHigh = UNKNOWN;
  }

  commit(bytes: Uint8Array, start: number, sequence: number): void {
    const high = readU32(bytes, start + 38);
    const low = readU32(bytes, start + 42);
    if (this.#endHigh !== UNKNOWN && (high !== this.#endHigh || low !== this.#endLow)) {
      const from = readU64(bytes, start + 38);
      if (!this.#explained.includes(from)) {
        const end = (BigInt(this.#endHigh) << 32n) | BigInt(this.#endLow);
        this.#report({ code: 'coverage-gap', sequence, fromLsn: formatLsn(end), toLsn: formatLsn(from) });
      }
    }
    if (this.#explained.length > 0) this.#explained = [];
    this.#endHigh = readU32(bytes, start + 30);
    this.#endLow = readU32(bytes, start + 34);
  }
}

import { matchesNames, type NamePattern, parseNamePattern } from './name-pattern.ts';
import { type Redaction, redactions, type TrackingRules } from './tracking-rules.ts';

/** A table, and of a partition the partitioned table at its root; else the same. */
export interface RuledTable {
  readonly schema: string;
  readonly table: string;
  readonly rootSchema: string;
  readonly rootTable: string;
  /** Names, as published. */
  readonly columns: readonly string[];
  /** Names; empty without a key. */
  readonly primaryKey: readonly string[];
}

/** What rules mean for a table, as plain data. */
export interface TableRules {
  readonly isRecorded: boolean;
  /** Columns of it: a change in which only these differ is not recorded. */
  readonly ignored: readonly string[];
  /** By column of it. */
  readonly redacted: Readonly<Record<string, Redaction>>;
}

/** Rules, ready to be asked of tables. */
export class CompiledRules {
  readonly rules: TrackingRules;
  readonly #include: readonly NamePattern[];
  readonly #exclude: readonly NamePattern[];
  readonly #ignore: readonly NamePattern[];
  readonly #redact: readonly (readonly [NamePattern, Redaction])[];

  constructor(rules: TrackingRules) {
    this.rules = rules;
    this.#include = rules.include.map((text) => compiled(text, 'table'));
    this.#exclude = rules.exclude.map((text) => compiled(text, 'table'));
    this.#ignore = rules.ignore.map((text) => compiled(text, 'column'));
    this.#redact = Object.entries(rules.redact).map(([text, by]) => [compiled(text, 'column'), by]);
  }

  /**
   * What they mean for a table. A pattern speaks of a partition by its own name or by that of its root; of several
   * redactions the one that leaves least counts. Columns of the primary key are never ignored: a change of the key is what
   * the record's later changes are found by. And where the key is hidden, it is hashed.
   */
  of(table: RuledTable): TableRules {
    const matches = (pattern: NamePattern, ...column: readonly string[]): boolean =>
      matchesNames(pattern, table.rootSchema, table.rootTable, ...column) ||
      matchesNames(pattern, table.schema, table.table, ...column);
    const isIncluded = this.#include.length === 0 || this.#include.some((pattern) => matches(pattern));
    const isRecorded = isIncluded && !this.#exclude.some((pattern) => matches(pattern));
    const isKey = new Set(table.primaryKey);
    const ignored = table.columns.filter(
      (column) => !isKey.has(column) && this.#ignore.some((pattern) => matches(pattern, column)),
    );
    const redacted = table.columns.flatMap((column): [string, Redaction][] => {
      const by = this.#redact.flatMap(([pattern, each]) => (matches(pattern, column) ? each : []));
      const strictest = redactions.find((each) => by.includes(each));
      return strictest ? [[column, isKey.has(column) ? 'hash' : strictest]] : [];
    });
    return { isRecorded, ignored, redacted: Object.fromEntries(redacted) };
  }

  /** Columns of a table's key that the rules would omit or mask, which the key of a record can't be. */
  hiddenKeyColumns(table: RuledTable): readonly string[] {
    const { isRecorded, redacted } = this.of({ ...table, primaryKey: [] });
    return isRecorded ? table.primaryKey.filter((name) => (redacted[name] ?? 'hash') !== 'hash') : [];
  }
}

/** What rules mean for a table: for who asks once. */
export function tableRules(rules: TrackingRules, table: RuledTable): TableRules {
  return new CompiledRules(rules).of(table);
}

function compiled(text: string, kind: 'table' | 'column'): NamePattern {
  const pattern = parseNamePattern(text, kind);
  if (typeof pattern === 'string') throw new TypeError(`${text} is no pattern: ${pattern}`);
  return pattern;
}

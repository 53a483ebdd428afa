const dayMs = 86_400_000;

/** How long a period that is made shorter goes on as it was: time for somebody to notice. */
export const LOWERING_DELAY_MS = 7 * dayMs;

/** A table of the source: the root of a partition, or the table itself. */
export interface RetainedTable {
  readonly schema: string;
  readonly table: string;
}

/** What a `config` event `retention-set` says (docs/spec/log.md). Times in milliseconds since 1970. */
export interface RetentionSetting {
  /** When the log says that it was said. */
  readonly at: number;
  /** Undefined for a table that is kept as long as the others again. */
  readonly days: number | undefined;
  /** Undefined for the whole log. */
  readonly table: RetainedTable | undefined;
  readonly effectiveAt: number;
}

export interface TablePeriod extends RetainedTable {
  readonly days: number;
}

/** How long is kept what, at some time. */
export interface PeriodsInForce {
  /** Of all tables that have no period of their own; undefined before the log says anything of it. */
  readonly days: number | undefined;
  readonly tables: readonly TablePeriod[];
  /** Before that many days nothing may be dropped as a whole. */
  readonly longest: number | undefined;
  /** What takes effect later, in the order in which it was said. */
  readonly pending: readonly RetentionSetting[];
}

interface Scope {
  readonly table: RetainedTable | undefined;
  days: number | undefined;
  pending: RetentionSetting | undefined;
}

/**
 * How long a log is kept, by its own events. What is longer than before counts at once, what is shorter
 * {@link LOWERING_DELAY_MS} later, whatever the event says; a later event takes the place of one that waits.
 */
export class RetentionPeriods {
  readonly settings: RetentionSetting[];

  /** @param settings - in the order in which the log has them */
  constructor(settings: readonly RetentionSetting[] = []) {
    this.settings = [...settings];
  }

  add(setting: RetentionSetting): void {
    this.settings.push(setting);
  }

  /** Whether nothing could be kept for less long than before by this. */
  isLowering(days: number | undefined, table: RetainedTable | undefined, at: number): boolean {
    const { days: general, tables } = this.at(at);
    const own = table && tables.find((each) => isSameTable(each, table));
    const before = own ? own.days : general;
    const after = days ?? general;
    return before !== undefined && after !== undefined && after < before;
  }

  /** @param now - milliseconds since 1970 */
  at(now: number): PeriodsInForce {
    const scopes: Scope[] = [{ table: undefined, days: undefined, pending: undefined }];
    const general = scopes[0]!;
    for (const setting of this.settings) {
      const { table, at, days } = setting;
      for (const scope of scopes) settle(scope, at);
      let scope = scopes.find((each) => isSameTable(each.table, table));
      if (!scope) {
        scope = { table, days: undefined, pending: undefined };
        scopes.push(scope);
      }
      const before = scope.days ?? general.days;
      const after = days ?? general.days;
      const isLower = before !== undefined && after !== undefined && after < before;
      const effectiveAt = isLower ? Math.max(setting.effectiveAt, at + LOWERING_DELAY_MS) : at;
      scope.pending = { ...setting, effectiveAt };
      settle(scope, at);
    }
    for (const scope of scopes) settle(scope, now);
    const tables = scopes.flatMap(({ table, days }) =>
      table === undefined || days === undefined ? [] : [{ ...table, days }],
    );
    const all = [general.days, ...tables.map(({ days }) => days)].filter((days) => days !== undefined);
    return {
      days: general.days,
      tables,
      longest: general.days === undefined ? undefined : Math.max(...all),
      pending: scopes.flatMap(({ pending }) => pending ?? []),
    };
  }
}

function settle(scope: Scope, now: number): void {
  if (scope.pending === undefined || scope.pending.effectiveAt > now) return;
  scope.days = scope.pending.days;
  scope.pending = undefined;
}

function isSameTable(a: RetainedTable | undefined, b: RetainedTable | undefined): boolean {
  return a?.schema === b?.schema && a?.table === b?.table;
}

/** How many milliseconds that many days are. */
export function daysToMs(days: number): number {
  return days * dayMs;
}

/**
 * What a `config` event says of retention.
 *
 * @param payload - of the event, parsed
 * @param at - the event's time, in milliseconds since 1970
 * @returns undefined for an event that says nothing of it, or nothing that can be understood
 */
export function retentionSetting(
  payload: Readonly<Record<string, unknown>>,
  at: number,
): RetentionSetting | undefined {
  const { event, days, schema, table, effectiveAt } = payload;
  if (event !== 'retention-set') return undefined;
  const isOfTable = typeof schema === 'string' && typeof table === 'string';
  if (!isOfTable && (schema !== undefined || table !== undefined)) return undefined;
  const isPeriod = typeof days === 'number' && Number.isFinite(days) && days > 0;
  if (!isPeriod && !(days === undefined && isOfTable)) return undefined;
  const effective = typeof effectiveAt === 'string' ? Date.parse(effectiveAt) : Number.NaN;
  if (Number.isNaN(effective)) return undefined;
  return {
    at,
    days: isPeriod ? days : undefined,
    table: isOfTable ? { schema, table } : undefined,
    effectiveAt: effective,
  };
}

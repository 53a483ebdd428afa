import type { TableFilter } from '../query/change-filter.ts';

/** How long each count of a period is for. Days and what is longer are those of a time zone. */
export type ActivityStep = 'hour' | 'day' | 'week' | 'month';

export interface ActivityQuestion {
  /** Number of the log. */
  readonly log: number;
  /** The period, in whole hours: its beginning is taken back to one, its end forward. Default: all of the log. */
  readonly since?: Date;
  readonly until?: Date;
  readonly step: ActivityStep;
  /** As PostgreSQL knows it: `Europe/Berlin`. Default `UTC`. */
  readonly zone?: string;
  /** Of these tables alone, each at its root. Default: of all. */
  readonly tables?: readonly Required<TableFilter>[];
  /** How many names at most of each kind. Default 20. */
  readonly names?: number;
}

/** Changes by operation. */
export interface OperationCounts {
  readonly INSERT: number;
  readonly UPDATE: number;
  readonly DELETE: number;
  readonly TRUNCATE: number;
}

export interface TableActivity {
  /** Of a partition: of the table at its root. */
  readonly schema: string;
  readonly table: string;
  readonly changes: number;
  readonly operations: OperationCounts;
  /** Those that the filter `withoutContext` finds: nobody said anything of them. */
  readonly withoutContext: number;
  /** Of each step, by operation. */
  readonly steps: readonly OperationCounts[];
}

/** A name, and the changes that the filter `actor` finds by it. */
export interface NameActivity {
  readonly name: string;
  readonly changes: number;
  readonly withoutContext: number;
}

/** More in an hour than there is in such hours, of one table and operation. */
export interface UnusualHour {
  readonly schema: string;
  readonly table: string;
  readonly operation: keyof OperationCounts;
  /** ISO 8601 in UTC, a whole hour. */
  readonly hour: string;
  readonly changes: number;
  /** The median of the hours that it is compared with. */
  readonly usual: number;
}

/** What happened in a period, counted. Moments are ISO 8601 in UTC. */
export interface Activity {
  readonly since: string;
  readonly until: string;
  /** When each step begins: at whole hours. */
  readonly steps: readonly string[];
  /** Those with changes, most first. */
  readonly tables: readonly TableActivity[];
  /** Who made most: each by a name that a change is shown with. */
  readonly actors: readonly NameActivity[];
  /** Database users of changes without a context, as triggers in the source report them. */
  readonly directUsers: readonly NameActivity[];
  /** And their programs. */
  readonly directPrograms: readonly NameActivity[];
  /** In the last 30 days of the period, newest first. */
  readonly unusual: readonly UnusualHour[];
  /** What has been committed up to here is counted; `undefined`: everything is. */
  readonly countedTo: string | undefined;
  /** Entries before that which are being counted again, and of which nothing is in these numbers. */
  readonly uncountedEntries: number;
}

/** No such time zone in PostgreSQL. */
export class UnknownZoneError extends Error {
  override readonly name = 'UnknownZoneError';
}

/** More steps than anybody looks at. */
export class TooManyStepsError extends Error {
  override readonly name = 'TooManyStepsError';
}

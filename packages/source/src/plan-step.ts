import type { TableName } from './table-name.ts';

/** One statement that brings a source nearer to what is wanted. */
export interface PlanStep {
  /** Stable and unique within a plan, such as `identity public.users`. */
  readonly id: string;
  readonly kind: 'identity' | 'role' | 'publication' | 'ddl' | 'slot';
  /** What it does, for people, in a line. */
  readonly title: string;
  /** The exact statement, with its semicolon: what is run is what `--dry-run` prints. */
  readonly sql: string;
  readonly why: string;
  /** The tables that it locks: to tell who holds them. */
  readonly tables?: readonly TableName[];
  /** Recording goes on without it: where it fails, the rest is done, and the failure is reported. */
  readonly isDispensable?: true;
  /** Ids of steps without which this one does harm: it is left out when one of them has failed. */
  readonly needs?: readonly string[];
  /** A part of `sql` that must not be seen: use {@link printableSql} wherever the statement is shown. */
  readonly secret?: string;
}

/** The statement with a psql variable in place of its secret: run as it is, it fails rather than set a known password. */
export function printableSql(step: PlanStep): string {
  return maskSecret(step.sql, step.secret);
}

/** Any text with the secret replaced by a psql variable. */
export function maskSecret(text: string, secret: string | undefined): string {
  return secret ? text.replaceAll(secret, ":'password'") : text;
}

export type PlanErrorCode =
  | 'unknown-table'
  | 'no-tables'
  | 'unpublishable-table'
  | 'unidentifiable-table'
  | 'no-publication'
  | 'published-as-all'
  | 'worker-active';

/** What is wanted cannot be done without harm. Nothing has been changed. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
  readonly code: PlanErrorCode;
  readonly fix: string;

  constructor(code: PlanErrorCode, message: string, fix: string) {
    super(message);
    this.code = code;
    this.fix = fix;
  }
}

import type { Authenticity, Operation } from '@bemi-db/proof/record';
import { contextAlternatives } from './context-match.ts';
import type { Parameters } from './parameters.ts';

/** A table as the catalog writes it, case included; without `schema`, that name in any schema. */
export interface TableFilter {
  readonly schema?: string;
  readonly name: string;
}

/** One member of the context, by name (dots lead into nested objects) and by the text of its value. */
export interface ContextFilter {
  readonly key: string;
  readonly value: string;
}

/** Which changes are wanted: those that satisfy everything that is given. */
export interface ChangeFilter {
  readonly table?: TableFilter;
  /** As recorded; `recordKey` makes it. */
  readonly primaryKey?: string;
  /** Any of these. */
  readonly operations?: readonly Operation[];
  /** All of these. */
  readonly context?: readonly ContextFilter[];
  /** With a context that is one of these. */
  readonly authenticity?: readonly Authenticity[];
  /** Only those without a context, with an empty one, or with one in quarantine. */
  readonly withoutContext?: boolean;
  /** Committed at or after. */
  readonly since?: Date;
  /** Committed before. */
  readonly until?: Date;
  /** Sequence greater than this, exclusive. */
  readonly after?: string;
  /** Sequence less than this, exclusive. */
  readonly before?: string;
}

/** Conditions on `change_log c` that need no other table. */
export function changeConditions(log: number, filter: ChangeFilter, parameters: Parameters): string[] {
  const conditions = [`c.log = ${parameters.add(log)}`];
  if (filter.after !== undefined) conditions.push(`c.sequence > ${parameters.add(filter.after)}::bigint`);
  if (filter.before !== undefined) conditions.push(`c.sequence < ${parameters.add(filter.before)}::bigint`);
  if (filter.primaryKey !== undefined)
    conditions.push(`c.primary_key = ${parameters.add(filter.primaryKey)}`);
  if (filter.operations) conditions.push(`c.operation = ANY (${parameters.add(filter.operations)}::text[])`);
  return conditions;
}

/** Conditions on `transaction_log t`. */
export function transactionConditions(filter: ChangeFilter, parameters: Parameters): string[] {
  const conditions: string[] = [];
  if (filter.since) conditions.push(`t.committed_at >= ${parameters.add(filter.since)}`);
  if (filter.until) conditions.push(`t.committed_at < ${parameters.add(filter.until)}`);
  return conditions;
}

/**
 * Conditions on a `jsonb` expression that holds a context, in the form that the index of `context_index` serves.
 * @param expression - SQL, such as `x.context`.
 */
export function contextConditions(
  filter: ChangeFilter,
  expression: string,
  parameters: Parameters,
): string[] {
  return (filter.context ?? []).map(({ key, value }) => {
    const alternatives = contextAlternatives(key, value).map(
      (document) => `${expression} @> ${parameters.add(document)}::jsonb`,
    );
    return `(${alternatives.join(' OR ')})`;
  });
}

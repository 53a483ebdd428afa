import { parseTableName } from '@bemi-db/source/table-name';
import { parseValueFilterText } from '@bemi-db/trail/facts/value-filter-text';
import type { ContextFilter, TableFilter, ValueFilter } from '@bemi-db/trail/query/change-filter';
import { usageError } from '../cli-error.ts';

const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'DDL'] as const;
const authenticities = ['authentic', 'unsigned', 'forged', 'replayed', 'stale'] as const;
type Authenticity = (typeof authenticities)[number];
/** What is shown with `--operation`: the operations of changes, and DDL. */
type Operation = (typeof operations)[number];

/** `table` in any schema, or `schema.table`; case counts, and parts with a dot are quoted. */
export function parseTableFilter(text: string): TableFilter {
  try {
    const { schema, name } = parseTableName(text);
    // A name with a schema takes no other before it.
    return takesSchema(text) ? { name } : { schema, name };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    throw usageError(
      `${JSON.stringify(text)} is not the name of a table`,
      'Write table or schema.table, as in --table public.Patient.',
    );
  }
}

function takesSchema(text: string): boolean {
  try {
    parseTableName(`public.${text.trim()}`);
    return true;
  } catch {
    return false;
  }
}

/** `insert,update`, in any case. */
export function parseOperations(texts: readonly string[]): Operation[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const operation = operations.find((each) => each === text.trim().toUpperCase());
      if (operation) return operation;
      throw usageError(`${JSON.stringify(text)} is not an operation`, `Use ${operations.join(', ')}.`);
    });
}

/** `forged,stale`, in any case. */
export function parseAuthenticity(texts: readonly string[]): Authenticity[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const authenticity = authenticities.find((each) => each === text.trim().toLowerCase());
      if (authenticity) return authenticity;
      throw usageError(
        `${JSON.stringify(text)} is not what a context can be`,
        `Use ${authenticities.join(', ')}.`,
      );
    });
}

/** `key=value`; the value may hold further `=`. */
export function parseContextFilter(text: string): ContextFilter {
  const at = text.indexOf('=');
  if (at > 0) return { key: text.slice(0, at), value: text.slice(at + 1) };
  throw usageError(
    `--context ${JSON.stringify(text)} is not KEY=VALUE`,
    'Write the name of a member of the context and its value, as in --context userId=u_42.',
  );
}

/** `column=value`, `column~text` for a text that is somewhere in it, or `column is null`. */
export function parseValueFilter(text: string, side?: 'before' | 'after'): ValueFilter {
  const filter = parseValueFilterText(text, side);
  if (filter) return filter;
  throw usageError(
    `--value${side ? `-${side}` : ''} ${JSON.stringify(text)} is neither COLUMN=VALUE nor COLUMN~TEXT nor "COLUMN is null"`,
    'Write the name of a column and its value, as in --value status=active, or a part of it, as in --value name~love.',
  );
}

/** A sequence, or a transaction id of the source. */
export function parseWholeNumber(text: string, option: string): string {
  if (/^\d{1,18}$/.test(text)) return text;
  throw usageError(`${option} ${JSON.stringify(text)} is no number`, 'Write it as bemi log --json shows it.');
}

export function parseLimit(text: string): number {
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit > 0) return limit;
  throw usageError(
    `--limit ${JSON.stringify(text)} is not a number of changes`,
    'Write a whole number from 1 on.',
  );
}

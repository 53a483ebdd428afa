import type { ValueFilter } from '../query/change-filter.ts';

const isNull = / is null$/i;

/**
 * A filter by a value as people write it, on the command line, in the API and in the pages' addresses: `column=value` (equal),
 * `column~text` (contained), the first of both signs counts; or `column is null`.
 *
 * @returns `undefined` for another text.
 */
export function parseValueFilterText(text: string, side?: 'before' | 'after'): ValueFilter | undefined {
  const of = side ? { side } : {};
  const at = text.search(/[=~]/);
  if (at > 0)
    return {
      column: text.slice(0, at),
      operator: text[at] === '=' ? 'is' : 'contains',
      value: text.slice(at + 1),
      ...of,
    };
  const column = text.replace(isNull, '');
  if (at === 0 || column === text || column === '') return undefined;
  return { column, operator: 'is', value: null, ...of };
}

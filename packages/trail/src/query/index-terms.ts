import type { ChangeFilter } from './change-filter.ts';
import { contextAlternatives } from './context-match.ts';

/**
 * Documents that a row of `change_index` contains where it may have matching changes: any of the alternatives, and of that all
 * documents. JSON texts.
 */
export type IndexTerms = readonly (readonly string[])[];

/** More would take the index longer than they save: what is left out is found out with each change. */
const mostAlternatives = 64;

/**
 * What of a filter the index knows; `undefined` where that is nothing.
 *
 * @param tables - numbers of the filter's tables, each the sequence of the first shape.
 */
export function indexTerms(
  filter: ChangeFilter,
  tables: readonly string[] | undefined,
): IndexTerms | undefined {
  const wanted = filter.operations ?? (filter.changedColumns ? (['UPDATE'] as const) : undefined);
  const operations = wanted?.map((operation) => operation[0]!);
  const dimensions: string[][] = (filter.context ?? []).map(({ key, value }) =>
    contextAlternatives(key, value).map((document) => `{"c":${document}}`),
  );
  if (tables) {
    const names = operations ? tables.flatMap((table) => operations.map((each) => table + each)) : tables;
    dimensions.push(names.map((name) => `{"t":["${name}"]}`));
  } else if (operations) dimensions.push(operations.map((operation) => `{"o":["${operation}"]}`));
  if (filter.actor !== undefined) dimensions.push([`{"a":[${JSON.stringify(filter.actor)}]}`]);
  if (filter.authenticity) dimensions.push(filter.authenticity.map((each) => `{"s":"${each}"}`));
  if (filter.withoutContext) dimensions.push(['{"n":true}']);
  return product(dimensions);
}

/** Alternatives within a condition, conditions within an alternative: the index intersects these without reading all of each. */
function product(dimensions: readonly (readonly string[])[]): IndexTerms | undefined {
  let alternatives: readonly (readonly string[])[] = [[]];
  for (const dimension of dimensions.toSorted((a, b) => a.length - b.length)) {
    if (alternatives.length * dimension.length > mostAlternatives) break;
    alternatives = alternatives.flatMap((terms) => dimension.map((term) => [...terms, term]));
  }
  return alternatives[0]?.length === 0 ? undefined : alternatives;
}

import type { ChangeFilter, ContextFilter, ValueFilter } from './change-filter.ts';
import { contextAlternatives } from './context-match.ts';
import { saysSomething } from './context-share.ts';
import type { Parameters } from './parameters.ts';
import { isWholeUpdate } from './row-sql.ts';

/**
 * What a change must satisfy, as SQL over `change_log c`, its `transaction_log t`, its `context_log x` (outer) and its
 * `relations r`: everything but the bounds of sequences. Whatever led to a change, these decide.
 *
 * @param relations - numbers of the shapes that `tables` names.
 */
export function filterConditions(
  filter: ChangeFilter,
  relations: readonly string[] | undefined,
  parameters: Parameters,
): string[] {
  const { primaryKey, operations, authenticity, since, until, transactionId, changedColumns, text } = filter;
  const conditions: string[] = [];
  if (relations) conditions.push(`c.relation = ANY (${parameters.add(relations)}::bigint[])`);
  if (primaryKey !== undefined) conditions.push(`c.primary_key = ${parameters.add(primaryKey)}`);
  if (operations) conditions.push(`c.operation = ANY (${parameters.add(operations)}::text[])`);
  if (since) conditions.push(`t.committed_at >= ${parameters.add(since)}::timestamptz`);
  if (until) conditions.push(`t.committed_at < ${parameters.add(until)}::timestamptz`);
  if (transactionId !== undefined) conditions.push(`t.xid = ${parameters.add(transactionId)}::bigint`);
  if (filter.transaction !== undefined)
    conditions.push(`c.transaction = ${parameters.add(filter.transaction)}::bigint`);
  if (authenticity) conditions.push(`x.authenticity = ANY (${parameters.add(authenticity)}::text[])`);
  if (filter.withoutContext) conditions.push(`(x.sequence IS NULL OR NOT ${saysSomething})`);
  conditions.push(...contextConditions(filter.context ?? [], parameters));
  if (filter.actor !== undefined) conditions.push(actorCondition(filter.actor, parameters));
  if (changedColumns) {
    const names = parameters.add(changedColumns);
    conditions.push(
      `CASE WHEN ${isWholeUpdate} THEN EXISTS (SELECT FROM json_object_keys(c.before) k WHERE k = ANY (${names}::text[])) END`,
    );
  }
  conditions.push(...(filter.values ?? []).map((value) => valueCondition(value, parameters)));
  if (text !== undefined) conditions.push(textCondition(text, parameters));
  return conditions;
}

/** The context as it is shown, to be compared. */
const shownJsonb = `(x.context::jsonb - '_bemi')`;

/** SQL over `x`: the context has these members. */
export function contextConditions(filters: readonly ContextFilter[], parameters: Parameters): string[] {
  return filters.map(({ key, value }) => {
    const alternatives = contextAlternatives(key, value).map(
      (document) => `${shownJsonb} @> ${parameters.add(document)}::jsonb`,
    );
    const holds = `(${alternatives.join(' OR ')})`;
    return isNumber(value) ? holds : ifMayHold(['x.context::text'], value, holds, parameters);
  });
}

/** SQL over `x` and `t`: somebody of this name did it. */
export function actorCondition(name: string, parameters: Parameters): string {
  const literal = parameters.add(jsonLiteral(name));
  // Numbers are written without quotes. What no text holds need not be taken apart: NULL, where there is none, would not stop
  // a condition that isn't in WHERE.
  const holds = `((coalesce(strpos(${shownJsonb}::text, ${literal}) > 0, false)
            OR coalesce(strpos(t.actor::jsonb::text, ${literal}) > 0, false))
           AND ${parameters.add(name)} = ANY (bemi.actors(${shownJsonb}, t.actor::jsonb)))`;
  return isNumber(name) ? holds : ifMayHold(['x.context::text', 't.actor::text'], name, holds, parameters);
}

/** Of a number JSON has several spellings. */
function isNumber(text: string): boolean {
  return /^-?\d/.test(text) && !Number.isNaN(Number(text));
}

/**
 * SQL: a condition that needs JSON to be taken apart, which is ten times dearer than to see that the text can't hold a value: it
 * neither has it nor has any escapes. Texts may be NULL.
 */
function ifMayHold(
  texts: readonly string[],
  value: string,
  condition: string,
  parameters: Parameters,
): string {
  const wanted = parameters.add(value);
  const backslash = parameters.add('\\');
  const may = texts.flatMap((text) => [
    `coalesce(strpos(${text}, ${wanted}) > 0, false)`,
    `coalesce(strpos(${text}, ${backslash}) > 0, false)`,
  ]);
  // In this order, which AND doesn't keep.
  return `CASE WHEN ${may.join(' OR ')} THEN ${condition} ELSE false END`;
}

function valueCondition(filter: ValueFilter, parameters: Parameters): string {
  const column = `${parameters.add(filter.column)}::text`;
  const wanted = filter.value === null ? undefined : parameters.add(filter.value);
  const holds = (member: string): string => {
    if (wanted === undefined) return `json_typeof(${member}) = 'null'`;
    const text = `${member} #>> '{}'`;
    return filter.operator === 'is' ? `${text} = ${wanted}` : `strpos(lower(${text}), lower(${wanted})) > 0`;
  };
  const after = holds(`(c.after -> ${column})`);
  // The old row of such an UPDATE has the changed columns alone: the others are those of the new one.
  const before = holds(`CASE WHEN ${isWholeUpdate} THEN coalesce(c.before -> ${column}, c.after -> ${column})
                             ELSE c.before -> ${column} END`);
  const sides = { before: [before], after: [after], either: [before, after] };
  const holdsIt = `(${sides[filter.side ?? 'either'].join(' OR ')})`;
  return filter.operator === 'is' && filter.value !== null
    ? ifMayHold(['c.after::text', 'c.before::text'], filter.value, holdsIt, parameters)
    : holdsIt;
}

function textCondition(text: string, parameters: Parameters): string {
  const wanted = `lower(${parameters.add(text)})`;
  const found = (expression: string): string => `strpos(lower(${expression}), ${wanted}) > 0`;
  // As it stands in the JSON that jsonb prints. That is looked at first: taking a document apart is dear.
  const literal = `lower(${parameters.add(jsonLiteral(text))})`;
  const inDocument = (document: string): string =>
    `(strpos(lower(${document}::text), ${literal}) > 0
      AND EXISTS (SELECT FROM jsonb_path_query(${document}, 'strict $.** ? (@.type() != "object" && @.type() != "array")') v
                   WHERE ${found(`v #>> '{}'`)}))`;
  return `(${[
    found('c.primary_key'),
    found(`r.root_schema || '.' || r.root_table`),
    found(`r.schema_name || '.' || r.table_name`),
    inDocument('c.after::jsonb'),
    inDocument('c.before::jsonb'),
    inDocument(shownJsonb),
    inDocument('t.actor::jsonb'),
  ].join(' OR ')})`;
}

/** A text as it stands between the quotes of a JSON string, in PostgreSQL's `jsonb` as in JavaScript. */
function jsonLiteral(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

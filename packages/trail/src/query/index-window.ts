import type pg from 'pg';
import { filterConditions } from './filter-conditions.ts';
import type { IndexTerms } from './index-terms.ts';
import { lookUpsFor } from './look-ups.ts';
import { Parameters } from './parameters.ts';
import type { WindowQuery } from './scan-window.ts';
import { isEmptyRange, type Order, overlapOf, type SequenceRange } from './sequence-range.ts';

/** The times of commits are known of each block of so many sequences, */
export const blockBits = 10n;
/** and the index has changes under the number of a range of so many. */
export const indexRangeBits = 17n;
/** A row of the index is for changes within a tile of so many: no row reaches from one into the next. */
export const tileBits = 8n;

export interface IndexWindow {
  readonly found: readonly bigint[];
  /** What was looked through: the whole range, or what comes first in it where there was more than was asked for. */
  readonly through: SequenceRange;
}

/**
 * Beyond so many rows of one range, the first ones are found sooner in the order of the range than by reading all of them: one
 * row in that order costs what a row of the index does, and there are some 25,000.
 */
const manyRows = 1_000;

/**
 * The sequences of the first matching changes of a range, by the rows of the index that may have some.
 *
 * @param rows - how many of these to look at.
 * @param limit - of changes. Where there are more, the range is not looked through.
 */
export async function indexWindow(
  client: pg.ClientBase,
  query: WindowQuery & { readonly terms: IndexTerms },
  range: SequenceRange,
  rows: number,
  limit: number,
): Promise<IndexWindow> {
  const { terms, filter, order } = query;
  const isNewestFirst = order === 'newest-first';
  const parameters = new Parameters();
  const bigint = (value: bigint): string => `${parameters.add(String(value))}::bigint`;
  const window: WindowSql = {
    ...{ log: parameters.add(query.log), low: bigint(range.low), high: bigint(range.high) },
    ...{ first: bigint(range.low >> indexRangeBits), last: bigint((range.high - 1n) >> indexRangeBits) },
    ...{ rows: parameters.add(rows), order, direction: isNewestFirst ? 'DESC' : 'ASC' },
  };
  const { log, low, high, direction } = window;
  const conditions = filterConditions(filter, query.relations, parameters);
  // What is asked of the commit and the context alone is found out once for the changes that have them in common.
  const ofEach = conditions.filter((condition) => /\b[cr]\./.test(condition));
  const ofAll = conditions.filter((condition) => !ofEach.includes(condition));
  const within = { commits: `t.sequence > ${beginningOf(window)}` };
  const { rows: answers } = await client.query<{ found: string[] | null; edge: string | null }>(
    // Where there are more rows, the last tile is left to the next window: rows of contexts that take turns reach over each other.
    `WITH candidate AS MATERIALIZED (${candidates(terms, window, parameters)}), looked AS MATERIALIZED (
       SELECT CASE WHEN count(*) = ${window.rows}
                   THEN ${isNewestFirst ? `((min(sequence) >> ${tileBits}) + 1) << ${tileBits}` : `(max(sequence) >> ${tileBits}) << ${tileBits}`}
              END AS edge FROM candidate
     ), found AS (
       SELECT c.sequence
         FROM (SELECT c.* FROM (SELECT ${log}::integer AS log, candidate.* FROM candidate) c ${lookUpsFor(ofAll, within)}
                WHERE ${['true', ...ofAll].join(' AND ')} OFFSET 0) group_of
        CROSS JOIN LATERAL (
          SELECT c.* FROM bemi.change_log c
           WHERE c.log = ${log} AND c.sequence BETWEEN group_of.sequence AND group_of.last_sequence
             AND c.sequence >= ${isNewestFirst ? `greatest(${low}, (SELECT edge FROM looked))` : low}
             AND c.sequence < ${isNewestFirst ? high : `least(${high}, (SELECT edge FROM looked))`}
             AND c.transaction = group_of.transaction AND c.context_no = group_of.context_no OFFSET 0) c
         ${lookUpsFor(ofEach, within)}
        WHERE ${['true', ...ofEach].join(' AND ')}
        ORDER BY c.sequence ${direction} LIMIT ${parameters.add(limit)})
     SELECT (SELECT array_agg(sequence ORDER BY sequence ${direction}) FROM found) AS found, (SELECT edge FROM looked) AS edge`,
    parameters.values,
  );
  const { found, edge } = answers[0]!;
  const through = edge === null ? range : partUpTo(BigInt(edge), range, order);
  // Of one tile alone there are at most as many rows as it has sequences.
  if (isEmptyRange(through))
    return await indexWindow(client, query, range, 1 + (1 << Number(tileBits)), limit);
  return { found: (found ?? []).map(BigInt), through };
}

/** What of a range comes before a sequence, in the order of a search. */
function partUpTo(edge: bigint, range: SequenceRange, order: Order): SequenceRange {
  return overlapOf(
    range,
    order === 'newest-first' ? { low: edge, high: range.high } : { low: range.low, high: edge },
  );
}

/** What a window is, as a statement refers to it. */
interface WindowSql {
  readonly log: string;
  /** Sequences, the second exclusive; */
  readonly low: string;
  readonly high: string;
  /** numbers of ranges, both inclusive. */
  readonly first: string;
  readonly last: string;
  readonly rows: string;
  readonly order: Order;
  readonly direction: 'ASC' | 'DESC';
}

/**
 * SQL: the first rows of the index that may have matching changes.
 *
 * The parts are looked up one after the other, until there are rows enough: each in turn, as LATERAL says, in the order of
 * generate_series. To sort them all would need them all. Of a part with many, those that come first are found in the order of the
 * primary key, which is theirs: transactions follow each other. The other index can't serve the condition there.
 */
function candidates(terms: IndexTerms, window: WindowSql, parameters: Parameters): string {
  const { log, low, high, first, last, rows, direction } = window;
  const documents = [...new Set(terms.flat())];
  const given = documents.map((document) => `${parameters.add(document)}::jsonb`);
  /** One of the alternatives holds, of which `holds` says how a document is looked for. */
  const anyOf = (holds: (place: number) => string): string =>
    `(${terms.map((all) => all.map((each) => holds(documents.indexOf(each))).join(' AND ')).join(' OR ')})`;
  // Of the window too, though each part says more: what is known beforehand leaves partitions out of the plan.
  const beginning = beginningOf(window);
  const ofPart = `
    i.log = ${log} AND i.sequence >= part.number << ${indexRangeBits} AND i.sequence < (part.number + 1) << ${indexRangeBits}
    AND i.sequence >= ${beginning} AND i.sequence < ${high} AND i.last_sequence >= ${low}`;
  return `
    SELECT i.*
      FROM (SELECT number, ${given.map((document, place) => `jsonb_build_object(number::text, ${document}) AS d${place}`).join(', ')}
              FROM generate_series(${window.order === 'newest-first' ? `${last}, ${first}, -1` : `${first}, ${last}`}) AS part(number)
            OFFSET 0) part
     CROSS JOIN LATERAL (
       WITH few AS MATERIALIZED (
         SELECT i.sequence, i.last_sequence, i.transaction, i.context_no FROM bemi.change_index i
          WHERE ${ofPart} AND ${anyOf((place) => `i.document @> part.d${place}`)} LIMIT ${manyRows + 1})
       SELECT * FROM few WHERE (SELECT count(*) FROM few) <= ${manyRows}
       UNION ALL
       (SELECT i.sequence, i.last_sequence, i.transaction, i.context_no FROM bemi.change_index i
         WHERE (SELECT count(*) FROM few) > ${manyRows} AND ${ofPart}
           AND i.transaction >= coalesce((SELECT t.transaction FROM bemi.transaction_log t
                WHERE t.log = ${log} AND t.sequence >= part.number << ${indexRangeBits} AND t.sequence >= ${beginning}
                ORDER BY t.sequence LIMIT 1), 0)
           AND i.transaction < (part.number + 1) << ${indexRangeBits}
           AND ${anyOf((place) => `(i.document -> part.number::text) @> ${given[place]}`)}
         ORDER BY i.transaction ${direction}, i.sequence ${direction} LIMIT ${rows})
       ORDER BY sequence ${direction} LIMIT ${rows}) i
     LIMIT ${rows}`;
}

/** Sequence at which the first range begins. */
function beginningOf({ first }: WindowSql): string {
  return `(${first} << ${indexRangeBits})`;
}

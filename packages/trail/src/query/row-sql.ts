/*
 * SQL expressions over `page c` that give a change's rows and context as JSON text. Values are copied, never parsed into numbers:
 * `json_each` gives each member's own text. Members come in the order of the table's columns.
 */

/** Members of a subquery with `key`, `value` and `position`, put together as one object without white space. */
function objectText(members: string): string {
  return `(SELECT '{' || coalesce(string_agg(to_json(m.key)::text || ':' || m.value::text, ',' ORDER BY m.position), '') || '}'
             FROM (${members}) m)`;
}

/**
 * An UPDATE whose old row was sent whole: `before` holds the columns that changed, and these alone. NULL stands for a
 * row that is in quarantine or erased, and stays so.
 */
export const isWholeUpdate = `c.operation = 'UPDATE' AND c.before_kind = 'full' AND c.before IS NOT NULL AND c.after IS NOT NULL`;

/** The old row: of such an UPDATE, the new one with the changed columns as they were. */
export const wholeBefore = `
  CASE WHEN ${isWholeUpdate} THEN ${objectText(
    `SELECT a.key, coalesce(b.value, a.value) AS value, a.position
       FROM json_each(c.after) WITH ORDINALITY AS a(key, value, position)
       LEFT JOIN json_each(c.before) AS b(key, value) ON b.key = a.key`,
  )} ELSE c.before::text END`;

export const wholeAfter = 'c.after::text';

/** The old row: of such an UPDATE, its changed columns alone. */
export const changedBefore = 'c.before::text';

/** The new row: of such an UPDATE, its changed columns alone. */
export const changedAfter = `
  CASE WHEN ${isWholeUpdate} THEN ${objectText(
    `SELECT a.key, a.value, a.position
       FROM json_each(c.after) WITH ORDINALITY AS a(key, value, position)
       JOIN json_each(c.before) AS b(key, value) ON b.key = a.key`,
  )} ELSE c.after::text END`;

/** Names of the changed columns, where they are known. */
export const changedNames = `
  CASE WHEN ${isWholeUpdate} THEN
    ARRAY(SELECT b.key FROM json_each(c.before) WITH ORDINALITY AS b(key, value, position) ORDER BY b.position) END`;

/** The context `x` without its member `_bemi`, however often it is there and however its name is written. */
export const shownContext = `
  CASE WHEN x.context -> '_bemi' IS NULL THEN x.context::text
       ELSE ${objectText(
         `SELECT a.key, a.value, a.position FROM json_each(x.context) WITH ORDINALITY AS a(key, value, position)
           WHERE a.key <> '_bemi'`,
       )} END`;

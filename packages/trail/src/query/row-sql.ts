/* SQL expressions over a `change_log c` and its context `x`. */

/**
 * An UPDATE whose old row was sent whole: `before` holds the columns that changed, and these alone. NULL stands for a
 * row that is in quarantine or erased, and stays so.
 */
export const isWholeUpdate = `c.operation = 'UPDATE' AND c.before_kind = 'full' AND c.before IS NOT NULL AND c.after IS NOT NULL`;

/** The context `x` without its member `_bemi`, however often it is there and however its name is written. */
export const shownContext = `
  CASE WHEN x.context -> '_bemi' IS NULL THEN x.context::text
       ELSE (SELECT '{' || coalesce(string_agg(to_json(m.key)::text || ':' || m.value::text, ',' ORDER BY m.position), '') || '}'
               FROM json_each(x.context) WITH ORDINALITY AS m(key, value, position) WHERE m.key <> '_bemi') END`;

import type pg from 'pg';
import type { Activity, NameActivity } from './activity.ts';
import type { ActivityPeriod } from './activity-period.ts';
import type { Uncounted } from './uncounted-blocks.ts';

/** As in `activity_names`: shown as who did it; the program that a trigger in the source reports. */
const shownKind = 1;
const programKind = 2;

interface NameRow {
  readonly list: 'actors' | 'directUsers' | 'directPrograms';
  readonly name: string;
  readonly changes: string;
  readonly withoutContext: string;
}

/** Who made most of a period's changes, and who made those of which nobody said anything. */
export async function countNames(
  client: pg.ClientBase,
  log: number,
  { since, until }: ActivityPeriod,
  uncounted: Uncounted,
  tables: readonly string[] | undefined,
  limit: number,
): Promise<Pick<Activity, 'actors' | 'directUsers' | 'directPrograms'>> {
  const { rows } = await client.query<NameRow>(
    `WITH within AS MATERIALIZED (
       SELECT g.range FROM bemi.activity_ranges g WHERE g.log = $1 AND g.first_hour >= $2 AND g.last_hour < $3
     ), single AS MATERIALIZED (
       SELECT b.block FROM bemi.change_blocks b
        WHERE b.log = $1 AND b.block < $4 AND b.last_at >= $2 AND b.first_at < $3
          AND b.block >> 7 <> ALL (ARRAY(SELECT range FROM within))
     ), each AS (
       SELECT n.* FROM within
         JOIN bemi.activity_range_names g ON g.log = $1 AND g.range = within.range AND g."table" = ANY (coalesce($5::bigint[], '{-1}'))
        CROSS JOIN LATERAL unnest(g.names, g.changes, g.without_context, g.kinds) AS n(name, changes, without, kind)
        UNION ALL
       SELECT n.* FROM single
        -- One by one: the planner would rather read all of it.
        CROSS JOIN LATERAL (SELECT a.* FROM bemi.activity_names a WHERE a.log = $1 AND a.block = single.block OFFSET 0) a
        CROSS JOIN LATERAL unnest(a.names, a.changes, a.without_context, a.kinds) AS n(name, changes, without, kind)
        WHERE a.hour >= $2 AND a.hour < $3 AND ($5::bigint[] IS NULL OR a."table" = ANY ($5))
        UNION ALL
       SELECT n.* FROM json_to_recordset($6::json) AS n(name text, changes bigint, without bigint, kind integer)
     ), summed AS MATERIALIZED (
       SELECT name, sum(changes) AS changes, sum(without) AS "withoutContext", bit_or(kind) AS kind FROM each GROUP BY name
     )
     (SELECT 'actors' AS list, name, changes, "withoutContext" FROM summed
       WHERE kind & ${shownKind} > 0 ORDER BY changes DESC, name COLLATE "C" LIMIT $7)
     UNION ALL
     (SELECT 'directUsers', name, changes, "withoutContext" FROM summed
       WHERE kind & ${shownKind} > 0 AND "withoutContext" > 0 ORDER BY "withoutContext" DESC, name COLLATE "C" LIMIT $7)
     UNION ALL
     (SELECT 'directPrograms', name, changes, "withoutContext" FROM summed
       WHERE kind & ${programKind} > 0 AND "withoutContext" > 0 ORDER BY "withoutContext" DESC, name COLLATE "C" LIMIT $7)`,
    [log, since, until, uncounted.end ?? '0', tables ?? null, JSON.stringify(uncounted.names), limit],
  );
  const listOf = (wanted: NameRow['list']): readonly NameActivity[] =>
    rows
      .filter(({ list }) => list === wanted)
      .map(({ name, changes, withoutContext }) => ({
        ...{ name, changes: Number(changes), withoutContext: Number(withoutContext) },
      }));
  return {
    ...{ actors: listOf('actors'), directUsers: listOf('directUsers') },
    directPrograms: listOf('directPrograms'),
  };
}

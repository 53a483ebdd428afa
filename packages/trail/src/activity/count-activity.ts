import type pg from 'pg';
import type { Activity, ActivityQuestion, OperationCounts, TableActivity, UnusualHour } from './activity.ts';
import { type ActivityPeriod, activityPeriod, hourOf } from './activity-period.ts';
import { countNames } from './count-names.ts';
import { type CountedHour, countUncounted } from './uncounted-blocks.ts';
import { comparedDays, type HourlyCounts, leastUnusual, unusualVolume } from './unusual-volume.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Of a longer period, hours that are unusual are looked for in its last days. */
export const judgedDays = 30;
const mostUnusual = 12;
const operationNames = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;

/**
 * What happened in a period, by table, operation, step of time and name. It is added up from what the upkeep has counted of
 * each block of the log; what that does not have yet is counted from the entries where it is little.
 *
 * @throws UnknownZoneError, TooManyStepsError
 */
export async function countActivity(client: pg.ClientBase, question: ActivityQuestion): Promise<Activity> {
  const { log } = question;
  const period = await activityPeriod(client, question);
  const { since, until } = period;
  const named = await tablesOf(client, log);
  const wanted = question.tables?.flatMap(({ schema, name }) => {
    const found = named.find((each) => each.schema === schema && each.table === name);
    return found ? [found.number] : [];
  });
  const judgedSince = new Date(Math.max(since.getTime(), until.getTime() - judgedDays * dayMs));
  const comparedSince = new Date(judgedSince.getTime() - comparedDays * dayMs);
  const hoursSince = comparedSince < since ? comparedSince : since;
  const uncounted = await countUncounted(client, log, { since, until, hoursSince }, wanted);
  const counts = { client, log, wanted, end: uncounted.end };
  const within = uncounted.hours.filter(({ hour }) => hour >= since.getTime());
  const tables = tableActivities(
    [...(await countSteps(counts, period)), ...within.map((counted) => stepOf(counted, period))],
    period,
    named,
  );
  const hourly = await countHours(counts, { since: comparedSince, until, judgedSince }, uncounted.hours);
  return {
    ...{ since: since.toISOString(), until: until.toISOString() },
    ...{ steps: period.steps.map((step) => step.toISOString()), tables },
    ...(await countNames(client, log, period, uncounted, wanted, question.names ?? 20)),
    unusual: unusualHours(hourly, { judgedSince, until, first: period.first }, named),
    ...{ countedTo: uncounted.countedTo, uncountedEntries: uncounted.uncountedEntries },
  };
}

interface TableRow {
  readonly number: string;
  readonly schema: string;
  readonly table: string;
}

interface Counts {
  readonly client: pg.ClientBase;
  readonly log: number;
  /** Numbers of tables. */
  readonly wanted: readonly string[] | undefined;
  /** The first block that has no counts. */
  readonly end: string | null;
}

type StepRow = Omit<CountedHour, 'hour'> & { readonly step: number };

async function tablesOf(client: pg.ClientBase, log: number): Promise<readonly TableRow[]> {
  const { rows } = await client.query<TableRow>(
    `SELECT min(r.relation)::text AS number, r.root_schema AS schema, r.root_table AS "table" FROM bemi.relations r
      WHERE r.log = $1 GROUP BY r.root_schema, r.root_table`,
    [log],
  );
  return rows;
}

/** SQL: rows of `activity a` of a period and some tables. $1 log, $2 since, $3 until, $4 end, $5 tables. */
const ofPeriod = `
  a.log = $1 AND a.hour >= $2 AND a.hour < $3 AND ($5::bigint[] IS NULL OR a."table" = ANY ($5))
  AND a.block >= (SELECT min(b.block) FROM bemi.change_blocks b WHERE b.log = $1 AND b.last_at >= $2 AND b.first_at < $3)
  AND a.block <= (SELECT max(b.block) FROM bemi.change_blocks b WHERE b.log = $1 AND b.last_at >= $2 AND b.first_at < $3)
  AND a.block < $4::bigint`;

async function countSteps({ client, log, wanted, end }: Counts, period: ActivityPeriod): Promise<StepRow[]> {
  const { rows } = await client.query<Record<Exclude<keyof StepRow, 'step' | 'table'>, string> & StepRow>(
    `SELECT width_bucket(a.hour, $6::timestamptz[]) - 1 AS step, a."table", sum(a.inserts) AS inserts, sum(a.updates) AS updates,
            sum(a.deletes) AS deletes, sum(a.truncates) AS truncates, sum(a.without_context) AS "withoutContext"
       FROM bemi.activity a WHERE ${ofPeriod} GROUP BY 1, 2`,
    [log, period.since, period.until, end ?? '0', wanted ?? null, period.steps],
  );
  return rows.map((row) => ({
    ...{ step: row.step, table: row.table, inserts: Number(row.inserts), updates: Number(row.updates) },
    ...{ deletes: Number(row.deletes), truncates: Number(row.truncates) },
    withoutContext: Number(row.withoutContext),
  }));
}

function stepOf(counted: CountedHour, { steps }: ActivityPeriod): StepRow {
  return { ...counted, step: steps.findLastIndex((step) => step.getTime() <= counted.hour) };
}

function tableActivities(
  rows: readonly StepRow[],
  { steps }: ActivityPeriod,
  named: readonly TableRow[],
): readonly TableActivity[] {
  const byTable = new Map<string, StepRow[]>();
  for (const row of rows) {
    const known = byTable.get(row.table);
    if (known) known.push(row);
    else byTable.set(row.table, [row]);
  }
  return [...byTable]
    .map(([number, ofTable]) => {
      const { schema, table } = named.find((each) => each.number === number)!;
      const perStep = steps.map(() => ({ ...none }));
      for (const row of ofTable) add(perStep[row.step]!, row);
      const operations = { ...none };
      for (const row of ofTable) add(operations, row);
      const changes = operationNames.reduce((sum, name) => sum + operations[name], 0);
      const withoutContext = ofTable.reduce((sum, row) => sum + row.withoutContext, 0);
      return { schema, table, changes, operations, withoutContext, steps: perStep };
    })
    .sort((a, b) => b.changes - a.changes || compare(a.schema, b.schema) || compare(a.table, b.table));
}

const none: OperationCounts = { INSERT: 0, UPDATE: 0, DELETE: 0, TRUNCATE: 0 };

function add(to: { -readonly [Name in keyof OperationCounts]: number }, row: Omit<StepRow, 'step'>): void {
  to.INSERT += row.inserts;
  to.UPDATE += row.updates;
  to.DELETE += row.deletes;
  to.TRUNCATE += row.truncates;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

interface TableHours {
  readonly table: string;
  readonly operation: keyof OperationCounts;
}

/** By hour, of tables that had an hour worth judging. */
async function countHours(
  { client, log, wanted, end }: Counts,
  { since, until, judgedSince }: { readonly since: Date; readonly until: Date; readonly judgedSince: Date },
  uncounted: readonly CountedHour[],
): Promise<readonly HourlyCounts<TableHours>[]> {
  const { rows } = await client.query<{ table: string; hours: readonly (readonly number[])[] }>(
    `WITH hourly AS MATERIALIZED (
       SELECT a."table", a.hour, sum(a.inserts) AS inserts, sum(a.updates) AS updates, sum(a.deletes) AS deletes,
              sum(a.truncates) AS truncates
         FROM bemi.activity a WHERE ${ofPeriod} GROUP BY 1, 2)
     SELECT h."table"::text AS "table",
            json_agg(json_build_array((extract(epoch FROM h.hour) / 3600)::bigint, h.inserts, h.updates, h.deletes, h.truncates)) AS hours
       FROM hourly h
      WHERE h."table" IN (SELECT j."table" FROM hourly j
                           WHERE j.hour >= $6 AND greatest(j.inserts, j.updates, j.deletes, j.truncates) >= ${leastUnusual})
         OR h."table" = ANY ($7::bigint[])
      GROUP BY 1`,
    [log, since, until, end ?? '0', wanted ?? null, judgedSince, uncounted.map(({ table }) => table)],
  );
  const tables = new Map(rows.map(({ table, hours }) => [table, [...hours]]));
  for (const { table, hour, inserts, updates, deletes, truncates } of uncounted) {
    const hours = tables.get(table) ?? [];
    hours.push([hour / hourMs, inserts, updates, deletes, truncates]);
    tables.set(table, hours);
  }
  return [...tables].flatMap(([table, all]) =>
    operationNames.map((operation, i) => {
      const hours = new Map<number, number>();
      for (const row of all) {
        const count = row[i + 1]!;
        if (count > 0) hours.set(row[0]!, (hours.get(row[0]!) ?? 0) + count);
      }
      return { of: { table, operation }, hours };
    }),
  );
}

function unusualHours(
  hourly: readonly HourlyCounts<TableHours>[],
  { judgedSince, until, first }: { readonly judgedSince: Date; readonly until: Date; readonly first: Date },
  named: readonly TableRow[],
): readonly UnusualHour[] {
  const numberOf = (hour: Date): number => Math.round(hour.getTime() / hourMs);
  return unusualVolume(hourly, {
    ...{ from: numberOf(judgedSince), to: numberOf(until), first: numberOf(hourOf(first)) },
  })
    .sort((a, b) => b.changes - b.usual - (a.changes - a.usual))
    .slice(0, mostUnusual)
    .sort((a, b) => b.hour - a.hour)
    .map(({ of, hour, changes, usual }) => {
      const { schema, table } = named.find(({ number }) => number === of.table)!;
      const at = new Date(hour * hourMs).toISOString();
      return { schema, table, operation: of.operation, hour: at, changes, usual };
    });
}

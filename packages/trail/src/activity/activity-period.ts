import type pg from 'pg';
import { type ActivityQuestion, TooManyStepsError, UnknownZoneError } from './activity.ts';

/** A period in whole hours, and its steps. */
export interface ActivityPeriod {
  readonly since: Date;
  readonly until: Date;
  readonly steps: readonly Date[];
  /** When the first change was committed, or now. */
  readonly first: Date;
}

const hourMs = 3_600_000;
const mostSteps = 2_500;
const undefinedZone = '22023';

/** The period that is asked for. Of a log without changes, all of it is the hour that is now. */
export async function activityPeriod(
  client: pg.ClientBase,
  { log, step, zone = 'UTC', ...asked }: ActivityQuestion,
): Promise<ActivityPeriod> {
  const { rows: known } = await client.query<{ now: Date; first: Date | null }>(
    `SELECT clock_timestamp() AS now,
            coalesce((SELECT min(b.first_at) FROM bemi.change_blocks b WHERE b.log = $1),
                     (SELECT t.committed_at FROM bemi.transaction_log t WHERE t.log = $1 ORDER BY t.sequence LIMIT 1)) AS first`,
    [log],
  );
  const { now, first } = known[0]!;
  const end = hourAfter(asked.until ?? now);
  const until = new Date(Math.max(end.getTime(), hourAfter(asked.since ?? end).getTime()));
  const begin = hourOf(asked.since ?? first ?? now);
  const since = begin < until ? begin : new Date(until.getTime() - hourMs);
  const leastHours = { hour: 1, day: 23, week: 167, month: 671 }[step];
  if ((until.getTime() - since.getTime()) / hourMs / leastHours > mostSteps)
    throw new TooManyStepsError(`more than ${mostSteps} steps`);
  return { since, until, first: first ?? now, steps: await stepsOf(client, since, until, step, zone) };
}

export function hourOf(at: Date): Date {
  return new Date(Math.floor(at.getTime() / hourMs) * hourMs);
}

function hourAfter(at: Date): Date {
  return new Date(Math.ceil(at.getTime() / hourMs) * hourMs);
}

/** A day that begins within an hour of UTC, as in India, begins at the next full one here. */
async function stepsOf(
  client: pg.ClientBase,
  since: Date,
  until: Date,
  step: ActivityQuestion['step'],
  zone: string,
): Promise<readonly Date[]> {
  if (step === 'hour') {
    const hours = Math.round((until.getTime() - since.getTime()) / hourMs);
    return Array.from({ length: hours }, (_, i) => new Date(since.getTime() + i * hourMs));
  }
  try {
    const { rows } = await client.query<{ begin: Date }>(
      `SELECT DISTINCT greatest($1::timestamptz, date_trunc('hour', (local AT TIME ZONE $4) + interval '59:59.999999', 'UTC')) AS begin
         FROM generate_series(date_trunc($3, $1::timestamptz AT TIME ZONE $4), $2::timestamptz AT TIME ZONE $4,
                              ('1 ' || $3)::interval) AS local
        WHERE greatest($1::timestamptz, date_trunc('hour', (local AT TIME ZONE $4) + interval '59:59.999999', 'UTC')) < $2::timestamptz
        ORDER BY 1`,
      [since, until, step, zone],
    );
    return rows.map(({ begin }) => begin);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === undefinedZone)
      throw new UnknownZoneError('no such time zone', { cause });
    throw cause;
  }
}

import { userInfo } from 'node:os';
import { LOWERING_DELAY_MS, type RetainedTable } from '@bemi-db/proof/retention-periods';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { readLogTime, readRetentionPeriods } from '@bemi-db/trail/retention/retention-periods';
import { CliError, usageError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { agree } from '../output/agreement.ts';
import { invocation } from '../output/invocation.ts';
import { print } from '../output/print.ts';
import { momentText } from '../presentation/moment-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { parseTableFilter } from '../trail-reading/change-arguments.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { oneTable } from '../worker-requests/one-table.ts';
import { recordedSource } from '../worker-requests/recorded-source.ts';
import { daysText } from './days-text.ts';

/** The flags of `bemi retention set`. */
export interface RetentionSetFlags {
  readonly days?: string;
  readonly asOthers?: true;
  readonly table?: string;
  readonly reason?: string;
  readonly by?: string;
  readonly yes?: true;
  readonly wait?: string;
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

const mostDays = 36_525;

/** Asks the worker to keep everything, or a table, for so many days. */
export async function setRetention(flags: RetentionSetFlags): Promise<void> {
  const days = parsePeriod(flags);
  const filter = flags.table === undefined ? undefined : parseTableFilter(flags.table);
  const waitSeconds = parseWait(flags.wait);
  const configuration = loadConfiguration();
  const { retentionDays } = configuration;
  const isRaisedAgain =
    days !== undefined && !filter && configuration.isSet('BEMI_RETENTION_DAYS') && days < retentionDays;
  if (isRaisedAgain) {
    throw usageError(
      `BEMI_RETENTION_DAYS is ${retentionDays}: the worker would raise the period to that again when it starts`,
      `Set it to ${days} first, or take it away: the log keeps what you set here.`,
    );
  }
  const isEmbedded = flags.embedded === true;
  await readingAuditDatabase({ configuration, isEmbedded }, async ({ client }) => {
    const source = await recordedSource(client, configuration, flags.source);
    const named = filter && (await oneTable(client, source, filter));
    const table: RetainedTable | undefined = named && { schema: named.schema, table: named.name };
    const periods = await readRetentionPeriods(client, source.log);
    const now = Math.max(Date.now(), (await readLogTime(client, source.log)) ?? 0);
    const inForce = periods.at(now);
    const own =
      table && inForce.tables.find((each) => each.schema === table.schema && each.table === table.table);
    const isPending = inForce.pending.some(
      (each) => each.table?.schema === table?.schema && each.table?.table === table?.table,
    );
    const what = table ? harmless(`${table.schema}.${table.table}`) : 'Everything';
    const style = textStyle(process.stdout);
    if (!isPending && (table ? own?.days : inForce.days) === days) {
      if (flags.json) await print(`${JSON.stringify({ days: days ?? null, sequence: null })}\n`);
      else
        await print(
          `${what} is kept ${days === undefined ? 'as long as all else' : `for ${daysText(days)}`} already.\n`,
        );
      return;
    }
    const isLowering = periods.isLowering(days, table, now);
    if (isLowering && !flags.reason?.trim()) {
      throw new CliError(
        2,
        'reason',
        `${what} is kept for ${daysText((table ? own?.days : undefined) ?? inForce.days ?? 0)} now: to keep it for less long takes a reason`,
        'Add --reason "…": it stays in the log. The shorter period counts seven days later.',
      );
    }
    if (isLowering && !flags.yes)
      await agree(
        `Keep ${what} for less long, from ${momentText(new Date(now + LOWERING_DELAY_MS), style.timeZone)} on?`,
      );
    const [sequence] = await askWorker({
      client,
      source,
      kind: 'config',
      payloads: [
        {
          event: 'retention-set',
          ...(days === undefined ? {} : { days }),
          ...table,
          ...(flags.reason === undefined ? {} : { reason: flags.reason }),
          by: flags.by ?? userInfo().username,
        },
      ],
      waitSeconds,
    });
    if (flags.json) {
      await print(`${JSON.stringify({ days: days ?? null, sequence: Number(sequence) })}\n`);
      return;
    }
    const when = isLowering
      ? `from ${momentText(new Date(now + LOWERING_DELAY_MS), style.timeZone)} on; a longer period set before that takes it back`
      : 'from now on';
    const howLong = days === undefined ? 'as long as all else' : `for ${daysText(days)}`;
    await print(
      `${style.colors.green('✓')} ${what} is kept ${howLong}, ${when}. The log says so in entry ${sequence}.\n` +
        `See ${invocation()} retention show.\n`,
    );
  });
}

function parsePeriod({ days, asOthers, table }: RetentionSetFlags): number | undefined {
  if (asOthers) {
    if (days !== undefined || table === undefined)
      throw usageError(
        '--as-others is for a table that has a period of its own',
        'Write --table NAME --as-others.',
      );
    return undefined;
  }
  const value = days !== undefined && /^\d{1,6}$/.test(days) ? Number(days) : Number.NaN;
  if (value >= 1 && value <= mostDays) return value;
  throw usageError(
    days === undefined ? 'How long is not said' : `--days ${JSON.stringify(days)} is no period`,
    `Write --days with a whole number from 1 to ${mostDays}; six years are 2192.`,
  );
}

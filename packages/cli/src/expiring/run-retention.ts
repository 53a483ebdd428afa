import { userInfo } from 'node:os';
import { daysToMs } from '@bemi-db/proof/retention-periods';
import { holdsBefore } from '@bemi-db/trail/holds/holds';
import { planRetention } from '@bemi-db/trail/retention/plan-retention';
import { readLogTime, readRetentionPeriods } from '@bemi-db/trail/retention/retention-periods';
import type { RetentionPlan } from '@bemi-db/trail/retention/retention-plan';
import type { RetentionPayload } from '@bemi-db/trail/retention/retention-request';
import type pg from 'pg';
import { CliError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { agree } from '../output/agreement.ts';
import { invocation } from '../output/invocation.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print } from '../output/print.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { recordedSource } from '../worker-requests/recorded-source.ts';
import { daysText } from './days-text.ts';

/** The flags of `bemi retention`. */
export interface RetentionFlags {
  readonly olderThan?: string;
  readonly by?: string;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly wait?: string;
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

/** Shows what has expired, asks, and has the worker drop it. */
export async function runRetention(flags: RetentionFlags): Promise<void> {
  const configuration = loadConfiguration({
    source: flags.source,
    flags: {
      BEMI_RETENTION_DAYS:
        flags.olderThan === undefined ? undefined : { text: flags.olderThan, setWith: '--older-than' },
    },
  });
  const wanted = flags.olderThan === undefined ? undefined : configuration.retentionDays;
  const waitSeconds = parseWait(flags.wait);
  const isJson = flags.json === true;
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async ({ client }) => {
    const source = await recordedSource(client, configuration, flags.source);
    const olderThan = await expiredBefore(client, source.log, wanted);
    const plan = await planRetention(client, source.log, olderThan);
    const style = textStyle(process.stdout);
    if (isJson && (flags.dryRun || !plan)) await print(`${JSON.stringify(planJson(plan, olderThan))}\n`);
    else if (!isJson) await print(planText(plan, olderThan, style));
    if (!plan) return;
    const [hold] = await holdsBefore(client, source.log, plan.before);
    if (hold) {
      throw new CliError(
        1,
        'held',
        `The hold ${hold.id} of ${hold.placedBy} keeps some of these entries: ${hold.reason}`,
        `Nothing was dropped. See ${invocation()} hold list; whoever placed the hold may release it.`,
      );
    }
    if (flags.dryRun) return;
    if (!flags.yes) await agree(`Drop ${countText(plan.changes)} changes for good?`);
    const payload: RetentionPayload = {
      before: plan.before,
      olderThan: olderThan.toISOString(),
      by: flags.by ?? userInfo().username,
    };
    const [sequence] = await askWorker({
      client,
      source,
      kind: 'retention',
      payloads: [payload],
      waitSeconds,
    });
    if (isJson)
      await print(`${JSON.stringify({ ...planJson(plan, olderThan), sequence: Number(sequence) })}\n`);
    else {
      await print(
        `${style.colors.green('✓')} Dropped. The log says so in entry ${sequence}; what is left still verifies.\n`,
      );
    }
  });
}

/** The log's own time, and what it says that it keeps, decide what may go: as the worker judges it. */
async function expiredBefore(client: pg.ClientBase, log: number, wanted: number | undefined): Promise<Date> {
  const now = await readLogTime(client, log);
  const { longest } = (await readRetentionPeriods(client, log)).at(now ?? 0);
  if (now === undefined || longest === undefined) {
    throw new CliError(
      1,
      'no-period',
      'The log does not say yet how long it is kept',
      `Start the worker, which says it: ${invocation()} worker`,
    );
  }
  if (wanted !== undefined && wanted < longest) {
    throw new CliError(
      1,
      'kept-longer',
      `The log keeps everything for ${daysText(longest)}, which is longer than --older-than`,
      `Nothing was dropped. To keep it for less long: ${invocation()} retention set --days ${wanted} --reason "…"`,
    );
  }
  return new Date(now - daysToMs(wanted ?? longest));
}

function planJson(plan: RetentionPlan | undefined, olderThan: Date): object {
  return {
    olderThan: olderThan.toISOString(),
    before: plan?.before ?? null,
    changes: plan?.changes ?? 0,
    transactions: plan?.transactions ?? 0,
  };
}

function planText(plan: RetentionPlan | undefined, olderThan: Date, style: TextStyle): string {
  const expired = `older than ${momentText(olderThan, style.timeZone)}`;
  if (!plan) return `Nothing to drop: no whole partition is ${expired}.\n`;
  const youngest = plan.youngest ? `, the youngest of ${momentText(plan.youngest, style.timeZone)}` : '';
  const rows = [
    ['Expired', expired],
    ['Changes', `${countText(plan.changes)} in ${countText(plan.transactions)} transactions${youngest}`],
    ['Entries', `all before ${countText(plan.before)}, but events`],
  ] as const;
  return `${style.colors.bold('To be dropped, for good')}\n${labelledLines(rows, style)}`;
}

import type { PeriodsInForce } from '@bemi-db/proof/retention-periods';
import { type Finding, ok, problem } from '@bemi-db/source/finding';
import { displayTable } from '@bemi-db/source/table-name';
import { momentText } from '../presentation/moment-text.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { shellWord } from './shell-word.ts';

const id = 'retention-period';
/** Six years have two leap days at most: the guide's 2190 days are a day or two short. */
const sixYearsDays = 2192;

/**
 * Whether everything is kept for six years.
 *
 * @param periods - what the log itself says; where it says nothing yet, the settings count.
 */
export function checkRetentionPeriod(periods: PeriodsInForce | undefined, configured: number): Finding {
  const days = periods?.days;
  const general = days ?? configured;
  const whole = { name: undefined, days: general, from: undefined };
  const later = (periods?.pending ?? []).map((setting) => ({
    name: setting.table && displayTable({ schema: setting.table.schema, name: setting.table.table }),
    days: setting.days ?? general,
    from: setting.effectiveAt,
  }));
  const tables = (periods?.tables ?? []).map(({ schema, table, days: own }) => ({
    name: displayTable({ schema, name: table }),
    days: own,
    from: undefined,
  }));
  const evidence = `${countedText(general, 'day')}, ${days === undefined ? 'by BEMI_RETENTION_DAYS' : 'as the log says'}`;
  const short = [whole, ...tables, ...later].filter((each) => each.days < sixYearsDays);
  if (short.length === 0) return ok(id, 'Everything is kept for six years', evidence);
  if (days === undefined && later.length + tables.length === 0) {
    return problem(
      'warning',
      id,
      general >= 2190
        ? 'Six years are a day or two longer'
        : 'What is recorded may go before six years are over',
      evidence,
      `Set BEMI_RETENTION_DAYS=${sixYearsDays}, or leave it out: that is its default.`,
    );
  }
  const commands = short.map(
    ({ name }) =>
      `bemi retention set --days ${sixYearsDays}${name === undefined ? '' : ` --table ${shellWord(name)}`}`,
  );
  return problem(
    'warning',
    id,
    'What is recorded may go before six years are over',
    short
      .map(
        (each) =>
          `${each.name ?? 'everything'}: ${countedText(each.days, 'day')}${each.from === undefined ? '' : ` from ${momentText(new Date(each.from))} on`}`,
      )
      .join(', '),
    [...new Set(commands)].join('\n'),
  );
}

import { Command } from 'commander';
import type { RetentionFlags } from '../expiring/run-retention.ts';
import type { RetentionSetFlags } from '../expiring/run-retention-set.ts';
import type { RetentionShowFlags } from '../expiring/run-retention-show.ts';
import { logOptions } from './log-options.ts';

/** `bemi retention` */
export function retentionCommand(): Command {
  const command = logOptions(
    new Command('retention')
      .helpCommand(false)
      .enablePositionalOptions()
      .summary('how long what is kept; drop what has expired')
      .description(
        'The worker drops what has expired by itself, a partition an hour. This does it now, for all that has: changes, contexts and commits of the oldest partitions go. Events and the tree stay, so that what is left still verifies, and an entry says what was dropped.',
      )
      .option('--older-than <days>', 'more days than the log keeps everything for (default: as many)')
      .option('--by <who>', 'who decided it; stays in the log (default: your user name)')
      .option('--dry-run', 'show what would be dropped, and stop')
      .option('-y, --yes', "don't ask")
      .option('--wait <seconds>', 'how long to wait for the worker (default: 60)'),
  )
    .addHelpText(
      'after',
      `
Examples:
  bemi retention show
  bemi retention set --days 3650
  bemi retention set --days 730 --table Session --reason "policy 7" --by dpo
  bemi retention --dry-run

A partition has some millions of entries and is dropped as a whole, never the one in use: entries may stay longer than
the days say. What a hold keeps is not dropped: see bemi hold list.`,
    )
    .action(async (flags: RetentionFlags) => {
      const { runRetention } = await import('../expiring/run-retention.ts');
      await runRetention(flags);
    });
  command.addCommand(
    logOptions(new Command('show'))
      .summary('how long what is kept, and what has expired')
      .action(async (flags: RetentionShowFlags) => {
        const { showRetention } = await import('../expiring/run-retention-show.ts');
        await showRetention(flags);
      }),
  );
  command.addCommand(
    logOptions(
      new Command('set')
        .summary('keep everything, or a table, for so many days')
        .description(
          'A longer period counts at once. A shorter one takes a reason and counts seven days later; until then a longer one takes it back. Both are entries of the log.',
        )
        .option('--days <days>', 'a whole number; six years are 2192')
        .option('-t, --table <table>', 'of one table: name or schema.name, case as in the catalog')
        .option('--as-others', 'the table is kept as long as all else again')
        .option('--reason <text>', 'why; stays in the log')
        .option('--by <who>', 'who decided it; stays in the log (default: your user name)')
        .option('-y, --yes', "don't ask")
        .option('--wait <seconds>', 'how long to wait for the worker (default: 60)'),
    )
      .addHelpText(
        'after',
        `
Examples:
  bemi retention set --days 3650
  bemi retention set --days 1096 --reason "policy 7, agreed by the board" --by dpo
  bemi retention set --days 3650 --table Invoice
  bemi retention set --table Invoice --as-others --reason "policy 8"

Partitions go when the longest period of any table has passed for all that is in them. Changes of a table with a
shorter one are erased in them before that, row by row; that there was a change, of what and when, stays.`,
      )
      .action(async (flags: RetentionSetFlags) => {
        const { setRetention } = await import('../expiring/run-retention-set.ts');
        await setRetention(flags);
      }),
  );
  return command;
}

import { Command } from 'commander';
import type { RetentionFlags } from '../expiring/run-retention.ts';

/** `bemi retention` */
export function retentionCommand(): Command {
  return new Command('retention')
    .summary('drop what is older than it has to be kept; proofs stay valid')
    .description(
      'Drops the oldest partitions of the log once everything in them has expired: changes, contexts and commits. Events and the tree stay, so that what is left still verifies, and an entry says what was dropped.',
    )
    .option(
      '--older-than <days>',
      'days that everything is kept (BEMI_RETENTION_DAYS, default 2192: six years)',
    )
    .option('--by <who>', 'who decided it; stays in the log (default: your user name)')
    .option('--dry-run', 'show what would be dropped, and stop')
    .option('-y, --yes', "don't ask")
    .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
    .option('--json', 'one JSON object, for programs')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'use the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi retention --dry-run
  bemi retention --older-than 3650 --by "archive policy 7"
  bemi retention --yes --json

A partition has some millions of entries and is dropped as a whole, never the one in use: entries may stay longer than
the days say. What a hold keeps is not dropped: see bemi hold list.`,
    )
    .action(async (flags: RetentionFlags) => {
      const { runRetention } = await import('../expiring/run-retention.ts');
      await runRetention(flags);
    });
}

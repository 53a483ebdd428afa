import { Command } from 'commander';
import type { SkipFlags } from '../gaps/run-skip.ts';

/** `bemi skip` */
export function skipCommand(): Command {
  return new Command('skip')
    .summary("pass over a transaction that the source can't send, and say so in the log")
    .description(
      'When the source server fails at a transaction each time it is to be sent, the worker says so and tries again for ever. This passes over it. An entry of the log says from where to where, why, and who answers for it.',
    )
    .requiredOption('--reason <text>', 'why; stays in the log')
    .option(
      '--to <lsn>',
      'what was committed before it is passed over; the worker names it (default: where the server can send again)',
    )
    .option('--by <who>', 'who answers for it; stays in the log (default: your user name)')
    .option('--dry-run', 'show what would be passed over, and stop')
    .option('-y, --yes', "don't ask")
    .option('--json', 'one JSON object, for programs')
    .option('--source <name>', 'which source, where several are configured or were added in the dashboard')
    .option('--slot <name>', 'replication slot (BEMI_REPLICATION_SLOT, default bemi_slot)')
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('--embedded', 'use the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi skip --to 0/16B3749 --reason "a row of 700 MB, ticket 4711"
  bemi skip --reason "written before the publication was made"

Run it where the worker runs, with its settings and its key, while the worker is stopped. Without --to it looks for the
first position from which the server can send, which reads the slot's WAL some thirty times.`,
    )
    .action(async (flags: SkipFlags) => {
      const { runSkip } = await import('../gaps/run-skip.ts');
      await runSkip(flags);
    });
}

import { Command } from 'commander';
import type { StatusFlags } from '../status/run-status.ts';

/** `bemi status` */
export function statusCommand(): Command {
  return new Command('status')
    .summary('lag, retained WAL, slot, last entry')
    .description('Shows how far the source is recorded, and what stands in the way.')
    .option('--watch', 'again every two seconds, until Ctrl-C')
    .option('--json', 'one JSON object, for programs; with --watch one a line')
    .option(
      '--source <name>',
      'one source alone, of those that are configured or were added in the dashboard',
    )
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi status
  bemi status --watch
  bemi status --json | jq .source.lagBytes

Exits with 1 when something keeps changes from being recorded.`,
    )
    .action(async (flags: StatusFlags) => {
      const { runStatus } = await import('../status/run-status.ts');
      await runStatus(flags);
    });
}

import { Command } from 'commander';
import type { CoverageFlags } from '../coverage/run-coverage.ts';

/** `bemi coverage` */
export function coverageCommand(): Command {
  return new Command('coverage')
    .summary('what of the source is recorded, by the log; and what is not, and why')
    .description(
      'Shows what the log says last of its coverage: which tables are recorded whole, which are not, and why; and whether DDL is ' +
        'recorded. The worker looks when it starts, after DDL, and every five minutes.',
    )
    .option('--all', 'list also the tables that are recorded whole')
    .option('--strict', 'exit with 1 where something is not recorded whole')
    .option('--json', 'one JSON object, for programs: every table')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi coverage
  bemi coverage --strict && echo everything is recorded
  bemi coverage --json | jq '.tables[] | select(.missing != [])'
  bemi log --operation DDL --since 7d    what changed it`,
    )
    .action(async (flags: CoverageFlags) => {
      const { runCoverage } = await import('../coverage/run-coverage.ts');
      await runCoverage(flags);
    });
}

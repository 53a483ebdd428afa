import { Command } from 'commander';
import type { HistoryFlags } from '../trail-reading/run-history.ts';

/** `bemi history` */
export function historyCommand(): Command {
  return new Command('history')
    .summary('the life of one record, oldest change first')
    .description('Shows every change of one record, oldest first, through all shapes that its table has had.')
    .argument('<table>', 'name or schema.name, case as in the catalog')
    .argument('<key...>', 'primary key; of a composite one each column, in the order of the key')
    .option('--changed-only', 'with --json: before and after of an UPDATE hold the changed columns alone')
    .option('--json', 'one JSON object a line, for programs')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi history Patient clx4k2m9d0000
  bemi history sales.order_line 1042 3
  bemi history Patient clx4k2m9d0000 --json`,
    )
    .action(async (table: string, key: string[], flags: HistoryFlags) => {
      const { runHistory } = await import('../trail-reading/run-history.ts');
      await runHistory(table, key, flags);
    });
}

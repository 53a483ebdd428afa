import { Command } from 'commander';
import type { EraseFlags } from '../erasing/run-erase.ts';
import { repeated } from './repeated-option.ts';

/** `bemi erase` */
export function eraseCommand(): Command {
  return new Command('erase')
    .summary("erase a record's data from the log; proofs stay valid")
    .description(
      "Erases what the log holds of a record (GDPR article 17): keys, rows and salts of all its changes, also those under keys that it had before or since. The log's proofs stay valid, and an entry says who erased, why and which.",
    )
    .option('-t, --table <table>', 'name or schema.name, case as in the catalog')
    .option(
      '-k, --primary-key <key>',
      'of the record; of a composite key a JSON array of texts: ["1042","3"]',
    )
    .requiredOption('--reason <text>', 'why; stays in the log, so no personal data')
    .requiredOption('--by <who>', 'who decided it; stays in the log')
    .option('--contexts', 'also the contexts of these changes, though other changes share them')
    .option('--context <sequence>', 'also this context (repeatable)', repeated)
    .option('--entry <sequence>', 'also this change, such as one in quarantine (repeatable)', repeated)
    .option('--dry-run', 'show what would be erased, and stop')
    .option('-y, --yes', "don't ask")
    .option('--wait <seconds>', 'how long to wait for the worker (default: 60)')
    .option('--json', 'one JSON object, for programs')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'use the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi erase --table Patient --primary-key clx4k2m9d0000 --reason "request 2025-117" --by dpo --dry-run
  bemi erase --table Patient --primary-key clx4k2m9d0000 --reason "request 2025-117" --by dpo --contexts
  bemi erase --table sales.order_line --primary-key '["1042","3"]' --reason "request 2025-118" --by dpo --yes

The worker does it, so one must be running. What a hold keeps is not erased: see bemi hold list.
Erase it in the source database too, before or after.`,
    )
    .action(async (flags: EraseFlags) => {
      const { runErase } = await import('../erasing/run-erase.ts');
      await runErase(flags);
    });
}

import { Command } from 'commander';
import type { GapAcceptFlags } from '../gaps/run-gap-accept.ts';

/** `bemi gap` */
export function gapCommand(): Command {
  return new Command('gap')
    .summary('go on where changes are missing, and say so in the log')
    .description('What to do when the worker refuses to go on because changes are missing.')
    .addCommand(acceptCommand());
}

function acceptCommand(): Command {
  return new Command('accept')
    .summary('accept that changes are missing, for good')
    .description(
      'Looks why the worker refuses, shows what is missing, and asks. Then an entry of the log says what is missing, why and who answers for it; the checkpoints from there on are of another generation. A slot that is gone is made again.',
    )
    .requiredOption('--reason <text>', 'why it is accepted; stays in the log')
    .option('--by <who>', 'who answers for it; stays in the log (default: your user name)')
    .option('--dry-run', 'show what would be accepted, and stop')
    .option('-y, --yes', "don't ask")
    .option('--json', 'one JSON object, for programs')
    .option('--source <name>', 'which source, where several are configured or were added in the dashboard')
    .option('--access', 'of the log of accesses, after the audit database was restored from an older copy')
    .option('--slot <name>', 'replication slot (BEMI_REPLICATION_SLOT, default bemi_slot)')
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('--embedded', 'use the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi gap accept --reason "to be found out" --dry-run
  bemi gap accept --reason "the slot was dropped by mistake, ticket 4711"
  bemi gap accept --reason "restored from the backup of 3 May" --by "Ada" --yes

Run it where the worker runs, with its settings and its key, while the worker is stopped. Afterwards start the worker
again. Verification passes, and reports the gap from then on. docs/gaps.md says what can be accepted.`,
    )
    .action(async ({ access, ...flags }: GapAcceptFlags & { readonly access?: true }) => {
      if (access) {
        const { runAccessGapAccept } = await import('../gaps/run-access-gap-accept.ts');
        return await runAccessGapAccept(flags);
      }
      const { runGapAccept } = await import('../gaps/run-gap-accept.ts');
      await runGapAccept(flags);
    });
}

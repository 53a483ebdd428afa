import { Command } from 'commander';
import type { SetupFlags } from '../setup/run-setup.ts';

/** `bemi setup` */
export function setupCommand(): Command {
  return new Command('setup')
    .summary('prepare a source database')
    .description(
      'Prepares a source database: REPLICA IDENTITY, role, publication, replication slot, in the order that disturbs ' +
        'nobody. Shows what it will do and asks first. Run again, it does what is missing.',
    )
    .option(
      '--admin-url <url>',
      'the source as a superuser or its administrator (default: BEMI_DATABASE_URL)',
    )
    .option('--dry-run', 'print the SQL that it would run, and nothing else')
    .option('--tables <tables>', 'only these, separated by commas: a,b.c (default: all, also later ones)')
    .option('--role <name>', 'make a role for the worker, which may read and replicate and nothing else')
    .option('--slot <name>', 'replication slot (BEMI_REPLICATION_SLOT, default bemi_slot)')
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('-y, --yes', "don't ask")
    .addHelpText(
      'after',
      `
Examples:
  bemi setup --admin-url postgres://postgres@localhost/app --role bemi_replication
  bemi setup --admin-url postgres://postgres@localhost/app --dry-run > setup.sql
  bemi setup --tables Patient,sales.order --yes

What the worker needs to connect is written to .bemi/worker.env, readable by you alone.`,
    )
    .action(async (flags: SetupFlags) => {
      const { runSetup } = await import('../setup/run-setup.ts');
      await runSetup(flags);
    });
}

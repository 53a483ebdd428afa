import { Command } from 'commander';
import type { TeardownFlags } from '../tearing-down/run-teardown.ts';

/** `bemi teardown` */
export function teardownCommand(): Command {
  return new Command('teardown')
    .summary('take everything of Bemi away from a source')
    .description(
      'Drops what bemi setup has made on the source: event triggers, triggers for contexts, publication, replica identities, ' +
        "the worker's role and what it was granted, and last the replication slot. Shows what it will do and asks first. The audit " +
        'database stays as it is. Refuses while a worker records.',
    )
    .option(
      '--admin-url <url>',
      'the source as a superuser or its administrator (default: BEMI_DATABASE_URL)',
    )
    .option('--role <name>', "the worker's role (default: that of BEMI_DATABASE_URL, with --admin-url)")
    .option('--slot <name>', 'replication slot (BEMI_REPLICATION_SLOT, default bemi_slot)')
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('--source <name>', 'which source, where several are configured or were added in the dashboard')
    .option('--keep-slot', 'keep the slot: the server goes on keeping WAL for it')
    .option('--keep-identity', 'leave REPLICA IDENTITY FULL where it is')
    .option('--dry-run', 'print the SQL that it would run, and nothing else')
    .option('-y, --yes', "don't ask")
    .option('--json', 'one JSON object, for programs')
    .addHelpText(
      'after',
      `
Examples:
  bemi teardown --admin-url postgres://postgres@localhost/app --dry-run
  bemi teardown --admin-url postgres://postgres@localhost/app --role bemi_replication

Before, let the worker record what is left: bemi worker --drain`,
    )
    .action(async (flags: TeardownFlags) => {
      const { runTeardown } = await import('../tearing-down/run-teardown.ts');
      await runTeardown(flags);
    });
}

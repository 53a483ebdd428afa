import { providerIds } from '@bemi-db/source/providers/provider';
import { Command, Option } from 'commander';
import type { DestinationFlags } from '../setup/run-destination-setup.ts';
import type { SetupFlags } from '../setup/run-setup.ts';

/** `bemi setup` */
export function setupCommand(): Command {
  return new Command('setup')
    .summary('prepare a source database, or an audit database')
    .description(
      'Prepares a source database: REPLICA IDENTITY, role, publication, replication slot, in the order that disturbs ' +
        'nobody. Shows what it will do and asks first. Run again, it does what is missing.\n\n' +
        'With --destination it prepares the audit database instead: its schema, and four roles. The owner owns it, and ' +
        'nobody logs in as it; the writer (the worker) appends, and may not update, delete or truncate; the reader reads; ' +
        'the fourth keeps the dashboard’s accounts, apart from the trail.',
    )
    .option(
      '--admin-url <url>',
      'the source as a superuser or its administrator (default: BEMI_DATABASE_URL)',
    )
    .option('--dry-run', 'print the SQL that it would run, and nothing else')
    .option(
      '--tables <tables>',
      "only these, separated by commas; * in a pattern: a,b.c,'sales.*' (default: all, also later ones)",
    )
    .option('--role <name>', 'make a role for the worker, which may read and replicate and nothing else')
    .addOption(
      new Option(
        '--identity <kind>',
        'what old rows have: full (default), or default, the key alone of tables that have one: less WAL',
      ).choices(['full', 'default']),
    )
    .option(
      '--no-event-triggers',
      'leave out the event triggers, which record DDL and give new tables their identity',
    )
    .addOption(
      new Option(
        '--ddl-text <choice>',
        'whether entries of DDL have the text of the statement, literals included (default: keep)',
      ).choices(['keep', 'none']),
    )
    .addOption(providerOption())
    .option('--slot <name>', 'replication slot (BEMI_REPLICATION_SLOT, default bemi_slot)')
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('--source <name>', 'which source, where several are configured or were added in the dashboard')
    .option(
      '--destination [url]',
      'the audit database, as a superuser or its administrator (default: BEMI_DESTINATION_URL)',
    )
    .option('--owner <name>', 'with --destination: who owns the trail (default: bemi_owner)')
    .option('--writer <name>', 'with --destination: whom the worker connects as (default: bemi_writer)')
    .option('--reader <name>', 'with --destination: who may read (default: bemi_reader)')
    .option(
      '--accounts <name>',
      'with --destination: who keeps the accounts of the dashboard (default: bemi_accounts)',
    )
    .option('-y, --yes', "don't ask")
    .addHelpText(
      'after',
      `
Examples:
  bemi setup --admin-url postgres://postgres@localhost/app --role bemi_replication
  bemi setup --admin-url postgres://postgres@localhost/app --dry-run > setup.sql
  bemi setup --tables Patient,sales.order --yes
  bemi setup --tables 'sales.*' --identity default
  bemi setup --destination postgres://postgres@localhost/audit
  bemi setup --destination postgres://postgres@localhost/audit --dry-run > roles.sql

What the worker needs to connect is written to .bemi/worker.env, readable by you alone.`,
    )
    .action(async (flags: SetupFlags & Partial<DestinationFlags>) => {
      const { refuseMixedFlags, runDestinationSetup } = await import('../setup/run-destination-setup.ts');
      refuseMixedFlags({ ...flags });
      const { destination } = flags;
      if (destination !== undefined) return await runDestinationSetup({ ...flags, destination });
      const { runSetup } = await import('../setup/run-setup.ts');
      await runSetup(flags);
    });
}

/** For commands that look at a source. */
export function providerOption(): Option {
  return new Option('--provider <id>', 'who runs the server, where it is not recognised').choices(
    providerIds,
  );
}

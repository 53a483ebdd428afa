import { Command, Option } from 'commander';
import type { TablesChangeFlags } from '../tables/run-tables-change.ts';
import type { TablesListFlags } from '../tables/run-tables-list.ts';

/** `bemi tables` */
export function tablesCommand(): Command {
  const command = new Command('tables')
    .helpCommand(false)
    .summary('which tables are recorded; add or drop some')
    .description(
      'Lists the tables of the source, and has tables recorded or no longer recorded by adding them to the publication, or ' +
        'dropping them from it.',
    )
    .addHelpText(
      'after',
      `
Examples:
  bemi tables list
  bemi tables add invoice 'sales.*' --admin-url postgres://postgres@localhost/app
  bemi tables drop sales.draft --dry-run

A publication for all tables has them all, also those made later, and none can be dropped from it: leave tables out by a
tracking rule instead.`,
    );
  command.addCommand(
    shared(new Command('list'))
      .summary('the tables, whether and how they are recorded, and since when')
      .option('--embedded', 'ask the embedded audit database in ./.bemi since when')
      .action(async (flags: TablesListFlags) => {
        const { listTables } = await import('../tables/run-tables-list.ts');
        await listTables(flags);
      }),
  );
  command.addCommand(
    changing(new Command('add'))
      .summary('have tables recorded: REPLICA IDENTITY, then the publication')
      .addOption(
        new Option('--identity <kind>', 'what old rows have: full, or default, the key alone').choices([
          'full',
          'default',
        ]),
      )
      .action(async (names: string[], flags: TablesChangeFlags) => {
        const { addTables } = await import('../tables/run-tables-change.ts');
        await addTables(names, flags);
      }),
  );
  command.addCommand(
    changing(new Command('drop'))
      .summary('no longer record tables; what is recorded stays')
      .action(async (names: string[], flags: TablesChangeFlags) => {
        const { dropTables } = await import('../tables/run-tables-change.ts');
        await dropTables(names, flags);
      }),
  );
  return command;
}

function changing(command: Command): Command {
  return shared(command)
    .argument(
      '<names...>',
      'tables as the catalog spells them, of schema public where none is named; * in a pattern',
    )
    .option('--dry-run', 'print the SQL that it would run, and nothing else')
    .option('-y, --yes', "don't ask");
}

/** What all have in common; a command within another inherits nothing by itself. */
function shared(command: Command): Command {
  return command
    .option(
      '--admin-url <url>',
      'the source as the owner of the tables or a superuser (default: BEMI_DATABASE_URL)',
    )
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('--source <name>', 'which source, where several are configured or were added in the dashboard')
    .option('--json', 'one JSON object, for programs');
}

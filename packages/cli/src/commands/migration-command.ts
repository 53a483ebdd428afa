import { Command } from 'commander';
import type { MigrationFlags } from '../migration/run-migration-create.ts';

/** `bemi migration:create` */
export function migrationCommand(): Command {
  return new Command('migration:create')
    .summary('triggers for clients that no driver can be wrapped for')
    .description(
      'Writes a migration of the source database, for your own migration tool: statement triggers that send the context ' +
        'which a client puts into the setting bemi.context, and, with --actor, say which database user it is where ' +
        'nothing else does. It connects to nothing, and runs nothing.',
    )
    .option('--actor', 'also report the database user, program and address of each transaction')
    .option('--no-context', 'with --actor: only that')
    .option('--tables <tables>', 'only these, separated by commas: a,b.c (default: all that there are)')
    .option('--dir <folder>', 'where to write it (default: migrations)')
    .option('--name <name>', 'of the file (default: <time>_bemi_context.sql)')
    .option('--print', 'print it, and write no file')
    .option('--down', 'with --print: what takes it back')
    .addHelpText(
      'after',
      `
Examples:
  bemi migration:create
  bemi migration:create --actor --dir db/migrations
  bemi migration:create --dir prisma/migrations/20261122_bemi --name migration.sql
  bemi migration:create --print | psql -1 "$DATABASE_URL"
  bemi migration:create --print --down

What takes it back is written beside it, as NAME.down.sql. The migration may be run again: it does what is missing.
A client then says who it is by one statement, in its transaction or once for its session:
  SELECT set_config('bemi.context', '{"userId":"42"}', true)
docs/context/triggers.md shows it for psql, Python, Go, Ruby and Java. Applications on Node need no trigger.`,
    )
    .action(async (flags: MigrationFlags) => {
      const { runMigrationCreate } = await import('../migration/run-migration-create.ts');
      await runMigrationCreate(flags);
    });
}

import { Command } from 'commander';
import type { LogFlags } from '../trail-reading/run-log.ts';
import { repeated } from './repeated-option.ts';

/** `bemi log` */
export function logCommand(): Command {
  return new Command('log')
    .summary('changes and DDL, newest first')
    .description(
      'Shows the recorded changes, newest first: who changed what, when, from where and why; and at its place what DDL made of tables.',
    )
    .option(
      '-t, --table <table>',
      'only this table: name or schema.name, case as in the catalog (repeatable)',
      repeated,
    )
    .option('-k, --primary-key <key>', 'only the record with this primary key')
    .option(
      '-o, --operation <operation>',
      'only INSERT, UPDATE, DELETE, TRUNCATE or DDL (repeatable)',
      repeated,
    )
    .option('-c, --context <key=value>', 'only with this member in the context (repeatable)', repeated)
    .option(
      '-a, --authenticity <kind>',
      'only with a context that is authentic, unsigned, forged, replayed or stale (repeatable)',
      repeated,
    )
    .option('--actor <name>', 'only by this user, as the context or the database says')
    .option('--without-context', 'only without a context, or with an empty one')
    .option('--since <moment>', 'committed at or after: a date, or 10m, 2h, 3d ago')
    .option('--until <moment>', 'committed before: a date, or 10m, 2h, 3d ago')
    .option('--transaction <sequence>', 'only of the transaction whose first entry has this sequence')
    .option('--transaction-id <xid>', 'only of transactions with this id in the source')
    .option('--changed <column>', 'only an UPDATE that changed this column (repeatable)', repeated)
    .option(
      '--value <column=value>',
      'only with this value, before or after; column~text for a part of it, "column is null" (repeatable)',
      repeated,
    )
    .option('--value-before <column=value>', 'only with this value before (repeatable)', repeated)
    .option('--value-after <column=value>', 'only with this value after (repeatable)', repeated)
    .option('--text <text>', 'only with this text in key, values, context, actor or table name, in any case')
    .option('-n, --limit <count>', 'how many at most (default: 50; with --follow 10 to begin with)')
    .option('-f, --follow', 'go on with each change as it is recorded')
    .option('--changed-only', 'with --json: before and after of an UPDATE hold the changed columns alone')
    .option('--json', 'one JSON object a line, for programs')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi log --table Patient --since 2h
  bemi log --context userId=test_user_123 --operation DELETE
  bemi log --operation DDL --since 30d
  bemi log --authenticity forged,replayed,stale
  bemi log --table note --without-context
  bemi log --actor alice --table Patient --changed email
  bemi log --value-after status=cancelled --since 30d
  bemi log --follow
  bemi log --json --changed-only --limit 1000 | jq .context.userId

Values, changed columns and text are looked for change by change, the newest first: with --since, or a
table, it is soon done. The others are found at once in a log of any size.

Times are those of this terminal's time zone; --json has UTC.`,
    )
    .action(async (flags: LogFlags) => {
      const { runLog } = await import('../trail-reading/run-log.ts');
      await runLog(flags);
    });
}

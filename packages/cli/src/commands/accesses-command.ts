import { Command } from 'commander';
import type { AccessesFlags } from '../accesses/run-accesses.ts';
import { repeated } from './repeated-option.ts';

/** `bemi accesses` */
export function accessesCommand(): Command {
  return new Command('accesses')
    .summary('who looked at what of the trail, newest first')
    .description(
      'Shows the log of accesses, newest first: who searched, viewed or exported what of the audit trail, when, and by what.',
    )
    .option('-b, --by <who>', 'only of this person (id or e-mail) or database role')
    .option(
      '-w, --what <kind>',
      'only search, view, export, live, sign-in, sign-out, sign-in-failed, account, key or source (repeatable)',
      repeated,
    )
    .option('-t, --table <table>', 'only where this table was asked for: name or schema.name')
    .option('-k, --primary-key <key>', 'only where the record with this primary key was')
    .option('--log <name>', 'only accesses to this log')
    .option('--since <moment>', 'at or after: a date, or 10m, 2h, 3d ago')
    .option('--until <moment>', 'before: a date, or 10m, 2h, 3d ago')
    .option('-n, --limit <count>', 'how many at most (default: 50)')
    .option('--json', 'one JSON object a line, for programs')
    .option('--embedded', 'read the embedded audit database in ./.bemi')
    .addHelpText(
      'after',
      `
Examples:
  bemi accesses --since 1d
  bemi accesses --table Patient --primary-key clx4k2m9d0000
  bemi accesses --by ada@example.org --what export
  bemi accesses --json --limit 1000 | jq .by.id

To see who looked at this log is an access too, and recorded. bemi verify --access proves that none was altered or removed.`,
    )
    .action(async (flags: AccessesFlags) => {
      const { runAccesses } = await import('../accesses/run-accesses.ts');
      await runAccesses(flags);
    });
}

import { Command } from 'commander';

interface DemoFlags {
  readonly once?: true;
}

/** `bemi demo` */
export function demoCommand(): Command {
  return new Command('demo')
    .summary('see it work: a clinic, its database, and its trail')
    .description(
      'Runs an example application on a PostgreSQL server of its own, and prints each change as it is recorded. ' +
        'Nothing outside a temporary folder is touched; Ctrl-C stops and deletes everything.',
    )
    .option('--once', 'create, update and delete one patient, print the three changes as JSON, and exit')
    .addCommand(demoSqlCommand())
    .addCommand(demoTamperCommand())
    .addHelpText(
      'after',
      `
Examples:
  npx bemi demo
  npx bemi demo sql "update \\"Patient\\" set phone = null"
  npx bemi demo tamper
  npx bemi demo --once`,
    )
    .action(async (flags: DemoFlags) => {
      if (flags.once) await (await import('../demo/run-once.ts')).runOnce();
      else await (await import('../demo/run-demo.ts')).runDemo();
    });
}

/** `bemi demo sql` */
function demoSqlCommand(): Command {
  return new Command('sql')
    .summary("change the running demo's data behind the application's back")
    .description(
      "Runs SQL in the running demo's source database, as an ordinary role and without any context.",
    )
    .argument('<statement...>', 'SQL, in quotes')
    .addHelpText(
      'after',
      `
Examples:
  npx bemi demo sql "select id, \\"lastName\\" from \\"Patient\\""
  npx bemi demo sql "delete from \\"Prescription\\""`,
    )
    .action(async (statement: string[]) => {
      const { runSql } = await import('../demo/run-sql.ts');
      await runSql(statement.join(' '));
    });
}

/** `bemi demo tamper` */
function demoTamperCommand(): Command {
  return new Command('tamper')
    .summary("tamper with the running demo's log, and see it found")
    .description(
      "Does to the running demo's log what somebody could who has full control of the audit database, verifies the log, " +
        'and undoes it: the demo goes on unharmed.',
    )
    .option('--how <how>', 'altered, deleted or cut (default: altered)')
    .addHelpText(
      'after',
      `
Examples:
  npx bemi demo tamper
  npx bemi demo tamper --how cut

It exits with 0 when the tampering was found.`,
    )
    .action(async (flags: { readonly how?: string }) => {
      const { runTamper } = await import('../demo/run-tamper.ts');
      await runTamper(flags.how ?? 'altered');
    });
}

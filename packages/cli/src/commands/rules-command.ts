import { Command } from 'commander';
import { usageError } from '../cli-error.ts';
import type { ChangeRulesFlags, RulesFlags, SetRulesFlags } from '../tracking-rules/run-rules.ts';
import { logOptions } from './log-options.ts';

/** `bemi rules` */
export function rulesCommand(): Command {
  return new Command('rules')
    .summary('which tables and columns are recorded, and which are redacted')
    .description(
      'Shows and changes what is recorded of a source: which tables, which columns are ignored, and which are redacted ' +
        'before anything is stored. Each change is an entry of the log.',
    )
    .addHelpText(
      'after',
      `
Examples:
  bemi rules                                                      the rules in force
  bemi rules exclude 'audit_*' '*.sessions' --reason "no records"
  bemi rules ignore '*.updatedAt' --reason "of no interest alone"
  bemi rules redact public.users.ssn=hash '*.password=omit' --reason "GDPR, ticket 4711"
  bemi rules exclude '*.sessions' --remove --reason "wanted after all"
  bemi rules set rules.yaml --reason "policy of 2026"

A pattern of tables is table or schema.table, of columns column, table.column or schema.table.column; * stands for any
characters. A running worker goes by the rules at once; a worker that is behind, for what it has not recorded yet.
docs/tracking-rules.md says more.`,
    )
    .addCommand(showCommand(), { isDefault: true })
    .addCommand(setCommand())
    .addCommand(
      changeCommand('include', 'pattern', 'record only these tables').description(
        'Adds patterns of tables that are recorded. As long as there are any, no other table is.',
      ),
    )
    .addCommand(
      changeCommand('exclude', 'pattern', "don't record these tables").description(
        'Adds patterns of tables that are not recorded. Exclusion wins over inclusion.',
      ),
    )
    .addCommand(
      changeCommand('ignore', 'column', "don't record changes of these columns alone").description(
        'Adds patterns of columns. An UPDATE in which only these differ is not recorded; with any other change they are. ' +
          'It takes the whole old row, which REPLICA IDENTITY FULL gives.',
      ),
    )
    .addCommand(
      changeCommand('redact', 'column=how', 'omit, mask or hash these columns').description(
        'Adds patterns of columns whose values are not recorded: left out (omit), replaced by *** (mask), or by a keyed ' +
          'hash (hash), which takes BEMI_ENCRYPTION_KEY where the worker runs. What is recorded already stays: bemi erase.',
      ),
    )
    .addCommand(clearCommand());
}

function showCommand(): Command {
  return logOptions(new Command('show'))
    .summary('the rules in force')
    .allowExcessArguments() // as the default command it gets what is no command, too
    .action(async (flags: RulesFlags, command: Command) => {
      const [unknown] = command.args;
      if (unknown === undefined) return (await load()).showRules(flags);
      throw usageError(`Unknown command rules ${unknown}`, 'bemi rules --help lists the commands.');
    });
}

function setCommand(): Command {
  return withChangeOptions(new Command('set'))
    .summary('put the rules of a file into force, in place of all others')
    .argument('<file>', 'YAML or JSON: include, exclude, ignore and redact')
    .action(async (file: string, flags: SetRulesFlags) => (await load()).setRules(file, flags));
}

function clearCommand(): Command {
  return withChangeOptions(new Command('clear'))
    .summary('record everything, as it is')
    .action(async (flags: SetRulesFlags) => (await load()).clearRules(flags));
}

function changeCommand(
  list: 'include' | 'exclude' | 'ignore' | 'redact',
  argument: string,
  summary: string,
): Command {
  return withChangeOptions(new Command(list))
    .summary(summary)
    .argument(`<${argument}...>`, 'one or more, quoted, so that the shell leaves * alone')
    .option('--remove', 'take these patterns away')
    .action(async (patterns: readonly string[], flags: ChangeRulesFlags) =>
      (await load()).changeRules(list, patterns, flags),
    );
}

function load(): Promise<typeof import('../tracking-rules/run-rules.ts')> {
  return import('../tracking-rules/run-rules.ts');
}

function withChangeOptions(command: Command): Command {
  return logOptions(
    command
      .requiredOption('--reason <text>', 'why; stays in the log')
      .option('--by <who>', 'who decided it; stays in the log (default: your user name)')
      .option('--wait <seconds>', 'how long to wait for the worker (default: 60)'),
  );
}

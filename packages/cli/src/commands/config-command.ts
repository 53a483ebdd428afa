import { Command } from 'commander';
import type { ConfigCheckFlags } from '../configuration/run-config-check.ts';

/** `bemi config` */
export function configCommand(): Command {
  return new Command('config')
    .helpCommand(false)
    .summary('what is configured, and by what')
    .description('Reads flags, environment and bemi.config.yaml as the worker does.')
    .addCommand(
      new Command('check')
        .summary('print what is in force, without secrets')
        .description(
          'Says whether the configuration can be used, and prints what is in force: each source, and each setting ' +
            'with what it was set. Nothing is connected to, and secrets are not printed.',
        )
        .option(
          '--config <file>',
          'configuration file (BEMI_CONFIG, default ./bemi.config.yaml, where it is)',
        )
        .option('--json', 'one JSON object, for programs')
        .addHelpText(
          'after',
          `
Examples:
  bemi config check
  bemi config check --config /etc/bemi/bemi.config.yaml --json

docs/configuration.md says what the file may have.`,
        )
        .action(async (flags: ConfigCheckFlags) => {
          const { runConfigCheck } = await import('../configuration/run-config-check.ts');
          await runConfigCheck(flags);
        }),
    );
}

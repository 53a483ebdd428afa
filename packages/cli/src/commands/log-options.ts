import type { Command } from 'commander';

/** Adds the options of commands that look into one log. */
export function logOptions(command: Command): Command {
  return command
    .option('--json', 'JSON, for programs')
    .option('--source <name>', 'whose log, where the audit database holds several')
    .option('--embedded', 'use the embedded audit database in ./.bemi');
}

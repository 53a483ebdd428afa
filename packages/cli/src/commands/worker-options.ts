import type { Command } from 'commander';
import type { Flags } from '../configuration/configuration.ts';
import type { SetText, SettingName } from '../configuration/settings.ts';

/** Flags that stand for settings, as commander names them. */
export interface SettingFlags {
  readonly config?: string;
  readonly slot?: string;
  readonly publication?: string;
  readonly bufferSize?: string;
  readonly logLevel?: string;
  readonly host?: string;
  readonly port?: string;
}

/**
 * Adds the settings of a worker to a command. URLs aren't among them: everybody on the machine sees the arguments of a
 * process, passwords included.
 */
export function withWorkerOptions(command: Command): Command {
  return withServerOptions(command)
    .option('--slot <name>', 'replication slot (BEMI_REPLICATION_SLOT, default bemi_slot)')
    .option('--publication <name>', 'publication (BEMI_PUBLICATION, default bemi_publication)')
    .option('--buffer-size <changes>', 'changes in an audit transaction (BEMI_BUFFER_SIZE, default 1000)');
}

/** Adds the settings of what answers requests and has an audit database. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--config <file>', 'configuration file (BEMI_CONFIG, default ./bemi.config.yaml, where it is)')
    .option('--embedded', 'keep the trail in an embedded PostgreSQL in ./.bemi')
    .option(
      '--log-level <level>',
      'trace, debug, info, warn, error, fatal, silent (BEMI_LOG_LEVEL, default info)',
    )
    .option('--host <address>', 'where to listen (BEMI_HOST, default 127.0.0.1)')
    .option('--port <port>', 'where to listen (BEMI_PORT, default 4000)');
}

/** The flags by the setting that they stand for. */
export function settingFlags(flags: SettingFlags): Flags {
  const set = (text: string | undefined, setWith: string): SetText | undefined =>
    text === undefined ? undefined : { text, setWith };
  return {
    BEMI_CONFIG: set(flags.config, '--config'),
    BEMI_REPLICATION_SLOT: set(flags.slot, '--slot'),
    BEMI_PUBLICATION: set(flags.publication, '--publication'),
    BEMI_BUFFER_SIZE: set(flags.bufferSize, '--buffer-size'),
    BEMI_LOG_LEVEL: set(flags.logLevel, '--log-level'),
    BEMI_HOST: set(flags.host, '--host'),
    BEMI_PORT: set(flags.port, '--port'),
  } satisfies Partial<Record<SettingName, SetText | undefined>>;
}

import { CliError, configurationError } from '../cli-error.ts';
import { type BemiFolder, bemiFolder, readFileIfAny } from './bemi-folder.ts';
import { parseEnvironmentFile } from './environment-file.ts';
import { nearestName } from './nearest-name.ts';
import {
  readSettings,
  type SetText,
  SettingError,
  type SettingName,
  type Settings,
  settingNames,
} from './settings.ts';

/** Texts of flags, by the setting that they stand for. */
export type Flags = { readonly [Name in SettingName]?: SetText | undefined };

export interface ConfigurationSources {
  readonly flags?: Flags;
  /** Default: the process's environment. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Default: `./.bemi`. */
  readonly folder?: BemiFolder;
}

export interface Configuration extends Settings {
  /** Names that the environment or the file sets, whatever the flags say. */
  readonly isSet: (name: SettingName) => boolean;
}

const known = new Set<string>(settingNames);

/**
 * What the commands go by: flags before the environment, the environment before `.bemi/worker.env`, that before the
 * defaults. A variable that is set to nothing counts as not set, as compose files pass it on.
 *
 * @throws CliError (exit code 2) for an unknown `BEMI_*` name, which it compares with the known ones, and for values
 * that can't be used.
 */
export function loadConfiguration(sources: ConfigurationSources = {}): Configuration {
  const { flags = {}, environment = process.env, folder = bemiFolder() } = sources;
  for (const name of Object.keys(environment)) refuseUnknown(name, 'the environment');
  const file = new Map<string, string>();
  for (const { name, value, line } of parseEnvironmentFile(readFileIfAny(folder.workerEnvironment) ?? '')) {
    refuseUnknown(name, `line ${line} of .bemi/worker.env`);
    file.set(name, value);
  }
  const set = (name: SettingName): SetText | undefined => {
    const text = [environment[name], file.get(name)].find((each) => each !== undefined && each !== '');
    return text === undefined ? undefined : { text, setWith: name };
  };
  try {
    const settings = readSettings((name) => flags[name] ?? set(name));
    return { ...settings, isSet: (name) => set(name) !== undefined };
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw configurationError(error.problem.message, error.problem.fix);
  }
}

function refuseUnknown(name: string, where: string): void {
  if (!name.startsWith('BEMI_') || known.has(name)) return;
  const nearest = nearestName(name, settingNames);
  throw new CliError(
    2,
    'unknown-setting',
    `${name} (in ${where}) is not a setting of Bemi`,
    nearest === undefined
      ? `Remove it. The settings are ${settingNames.join(', ')}.`
      : `Did you mean ${nearest}? Correct the name, or remove it.`,
  );
}

/** The source database's URL. */
export function requireDatabaseUrl(configuration: Configuration): string {
  if (configuration.databaseUrl !== undefined) return configuration.databaseUrl;
  throw configurationError(
    'No source database is configured',
    'Set BEMI_DATABASE_URL=postgres://role:password@host:5432/database, or prepare one by: bemi setup --admin-url URL',
  );
}

import { readFileSync } from 'node:fs';
import type { SecretConnection } from '@bemi-db/source/connection-string';
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
  secretSettings,
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

const fileNames = secretSettings.map((name) => `${name}_FILE`);
const known = new Set<string>([...settingNames, ...fileNames]);

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
  const set = (name: SettingName): SetText | undefined =>
    textOrFile(name, (each) => environment[each]) ?? textOrFile(name, (each) => file.get(each));
  try {
    const settings = readSettings((name) => flags[name] ?? set(name));
    return { ...settings, isSet: (name) => set(name) !== undefined };
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw configurationError(error.problem.message, error.problem.fix);
  }
}

/** What a setting is set to in one place: by itself or, where it may be secret, by the file that is named. */
function textOrFile(name: SettingName, variable: (name: string) => string | undefined): SetText | undefined {
  const text = variable(name) || undefined;
  const file = (secretSettings.includes(name) && variable(`${name}_FILE`)) || undefined;
  if (file === undefined) return text === undefined ? undefined : { text, setWith: name };
  if (text !== undefined) {
    throw configurationError(
      `${name} and ${name}_FILE are both set`,
      'Keep one of them: the file for what is secret.',
    );
  }
  const setWith = `${name}_FILE`;
  let content: string;
  try {
    content = readFileSync(file, 'utf8').trim();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw configurationError(
      `${setWith} can't be read: ${file}: ${code}`,
      'Name a file that this process may read.',
    );
  }
  if (content !== '') return { text: content, setWith, file };
  throw configurationError(
    `${setWith} names an empty file: ${file}`,
    `Write what ${name} would be set to into it.`,
  );
}

function refuseUnknown(name: string, where: string): void {
  if (!name.startsWith('BEMI_') || known.has(name)) return;
  const nearest = nearestName(name, [...known]);
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
export function requireDatabaseUrl(configuration: Configuration): string | SecretConnection {
  if (configuration.databaseUrl !== undefined) return configuration.databaseUrl;
  throw configurationError(
    'No source database is configured',
    'Set BEMI_DATABASE_URL=postgres://role:password@host:5432/database, or prepare one by: bemi setup --admin-url URL',
  );
}

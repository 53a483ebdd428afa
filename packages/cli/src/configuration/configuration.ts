import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { SecretConnection } from '@bemi-db/source/connection-string';
import type { ConfiguredRules } from '@bemi-db/worker/rules/judge-rules';
import { CliError, configurationError } from '../cli-error.ts';
import { type BemiFolder, bemiFolder, readFileIfAny } from './bemi-folder.ts';
import { type ConfigFile, type FileSettings, findConfigFile, readConfigFile } from './config-file.ts';
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
  /** Default: `./.bemi`. The configuration file is beside it. */
  readonly folder?: BemiFolder;
  /** The source that is meant, where the configuration file has several: `--source`. */
  readonly source?: string | undefined;
}

/** A source, and what holds for it. */
export interface ConfiguredSource extends Settings {
  /** Of its log; `undefined`: the database's. */
  readonly name: string | undefined;
  readonly databaseUrl: string | SecretConnection;
  /** What its URL was set with, for messages. */
  readonly urlSetWith: string;
  /** Where the file speaks of them. */
  readonly rules: ConfiguredRules | undefined;
  /** Whether something says so, for this source or for all. */
  readonly isSet: (name: SettingName) => boolean;
}

export interface Configuration extends Settings {
  /** Names that the environment or a file sets, whatever the flags say. */
  readonly isSet: (name: SettingName) => boolean;
  /** Those of the configuration file; else the one of BEMI_DATABASE_URL, if that is set. */
  readonly sources: readonly ConfiguredSource[];
  /** The one that is meant: the only one, or that of `--source`. Its settings are those above. */
  readonly source: ConfiguredSource | undefined;
  /** What holds for every source. */
  readonly common: Settings;
  readonly file: ConfigFile | undefined;
  /** What each setting is set with, for all sources. */
  readonly find: (name: SettingName) => SetText | undefined;
  /** A setting of one source, from a flag or the environment, while the file has several. */
  readonly ambiguous: SetText | undefined;
}

const fileNames = secretSettings.map((name) => `${name}_FILE`);
const known = new Set<string>([...settingNames, ...fileNames]);
/** What tells one source from another. */
const ofOneSource: readonly SettingName[] = [
  'BEMI_DATABASE_URL',
  'BEMI_DATABASE_PASSWORD_COMMAND',
  'BEMI_REPLICATION_SLOT',
];

/**
 * What the commands go by: flags before the environment, the environment before `bemi.config.yaml`, that before
 * `.bemi/worker.env`, and that before the defaults. A variable that is set to nothing counts as not set, as compose files
 * pass it on.
 *
 * @throws CliError (exit code 2) for an unknown name, which it compares with the known ones, and for values that can't be
 * used.
 */
export function loadConfiguration(sources: ConfigurationSources = {}): Configuration {
  const { flags = {}, environment = process.env, folder = bemiFolder() } = sources;
  const workerEnvironment = new Map<string, string>();
  for (const { name, value, line } of parseEnvironmentFile(readFileIfAny(folder.workerEnvironment) ?? '')) {
    refuseUnknown(name, `line ${line} of .bemi/worker.env`);
    workerEnvironment.set(name, value);
  }
  const path =
    flags.BEMI_CONFIG?.text ?? (environment['BEMI_CONFIG'] || findConfigFile(dirname(folder.path)));
  const file = path === undefined ? undefined : readConfigFile(resolve(path), environment);
  // After the file was read: what it names may be called anything.
  for (const name of Object.keys(environment)) {
    if (!file?.references.has(name)) refuseUnknown(name, 'the environment');
  }
  const hasSources = file !== undefined && file.sources.length > 0;
  const isSeveral = hasSources && file.sources.length > 1;

  const variable = (text: string | undefined, setWith: string) => (text ? { text, setWith } : undefined);
  const ofEnvironment = (name: SettingName) =>
    flags[name] ?? textOrFile(name, (each) => variable(environment[each], each));
  const ofFile = (settings: FileSettings | undefined, name: SettingName) =>
    settings && textOrFile(name, (each) => settings.get(each));
  const ofWorkerEnvironment = (name: SettingName) =>
    textOrFile(name, (each) => variable(workerEnvironment.get(each), each));
  const find = (name: SettingName, settings?: FileSettings): SetText | undefined => {
    const isOfOne = ofOneSource.includes(name);
    return (
      (isOfOne && isSeveral ? undefined : ofEnvironment(name)) ??
      ofFile(settings, name) ??
      ofFile(file?.common, name) ??
      (isOfOne && hasSources ? undefined : ofWorkerEnvironment(name))
    );
  };
  try {
    const settingsOf = (settings?: FileSettings) => readSettings((name) => find(name, settings));
    const sourceOf = (
      name: string | undefined,
      rules: ConfiguredRules | undefined,
      ofSource?: FileSettings,
    ): ConfiguredSource[] => {
      const settings = settingsOf(ofSource);
      const { databaseUrl } = settings;
      if (databaseUrl === undefined) return [];
      const urlSetWith = find('BEMI_DATABASE_URL', ofSource)?.setWith ?? 'BEMI_DATABASE_URL';
      const isSet = (setting: SettingName): boolean => find(setting, ofSource) !== undefined;
      return [{ ...settings, name, rules, databaseUrl, urlSetWith, isSet }];
    };
    const all = hasSources
      ? file.sources.flatMap(({ name, settings, rules }) =>
          sourceOf(name, rules && { rules, file: file.name }, settings),
        )
      : sourceOf(undefined, undefined);
    const source =
      sources.source === undefined || !hasSources
        ? all.length === 1
          ? all[0]
          : undefined
        : all.find(({ name }) => name === sources.source);
    const ambiguous = isSeveral ? ofOneSource.flatMap((name) => ofEnvironment(name) ?? [])[0] : undefined;
    const common = settingsOf();
    return {
      ...(source ?? common),
      ...{ sources: all, source, common, file, ambiguous },
      find: (name) => find(name),
      isSet: (name) =>
        (textOrFile(name, (each) => variable(environment[each], each)) ??
          ofFile(file?.common, name) ??
          ofWorkerEnvironment(name)) !== undefined,
    };
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    throw configurationError(error.problem.message, error.problem.fix);
  }
}

/** What a setting is set to in one place: by itself or, where it may be secret, by the file that is named. */
function textOrFile(name: SettingName, variable: (name: string) => SetText | undefined): SetText | undefined {
  const text = variable(name);
  const named = secretSettings.includes(name) ? variable(`${name}_FILE`) : undefined;
  if (named === undefined) return text;
  if (text !== undefined) {
    throw configurationError(
      `${text.setWith} and ${named.setWith} are both set`,
      'Keep one of them: the file for what is secret.',
    );
  }
  const { text: file, setWith } = named;
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
    'Set BEMI_DATABASE_URL=postgres://role:password@host:5432/database, or prepare one by: bemi setup --admin-url URL\n' +
      'Sources that were added in the dashboard are checked and changed there; bemi start needs no other.',
  );
}

/** The source that is meant, where a command is about one. */
export function requireSource(configuration: Configuration): ConfiguredSource {
  const { source, sources, file } = configuration;
  if (source) return source;
  if (sources.length === 0) requireDatabaseUrl(configuration);
  const names = sources.map(({ name }) => name).join(', ');
  throw new CliError(
    2,
    'several-sources',
    `${file?.name} has several sources: ${names}`,
    'Say which one by --source NAME.',
  );
}

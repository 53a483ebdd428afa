import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { noRules, type TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import { type CliError, configurationError } from '../cli-error.ts';
import { rulesAt } from '../tracking-rules/rules-document.ts';
import { readFileIfAny } from './bemi-folder.ts';
import { type DocumentPath, type LocatedDocument, parseLocatedDocument } from './located-document.ts';
import { nearestName } from './nearest-name.ts';
import { type SetText, secretSettings, settingNames } from './settings.ts';

/** `bemi.config.yaml`, or `.json`: settings by the names of their variables, for all sources and for each. */
export interface ConfigFile {
  readonly path: string;
  /** For people. */
  readonly name: string;
  /** What holds for every source. */
  readonly common: FileSettings;
  readonly sources: readonly FileSource[];
  /** Variables that its texts name. */
  readonly references: ReadonlySet<string>;
  /** Others than its owner may read it, and there is a secret in it: which. */
  readonly exposed: readonly string[];
}

/** By the name of the variable, also with `_FILE` behind it. */
export type FileSettings = ReadonlyMap<string, SetText>;

export interface FileSource {
  /** Of the source, and of its log. */
  readonly name: string;
  /** `file:line:column` of its name. */
  readonly place: string;
  readonly settings: FileSettings;
  /** `undefined` where the file does not speak of rules. */
  readonly rules: TrackingRules | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

const fileNames = ['bemi.config.yaml', 'bemi.config.yml', 'bemi.config.json'];

/** Names in the file that are not those of the variables, in lower case and without BEMI_. */
const ownNames: Readonly<Record<string, string>> = {
  BEMI_REPLICATION_SLOT: 'slot',
  BEMI_DATABASE_URL: 'url',
  BEMI_DATABASE_PASSWORD_COMMAND: 'password_command',
};
/** The application's key, and what names this very file, are no settings of it. Those of the databases have places of their own. */
const notCommon = ['BEMI_API_KEY', 'BEMI_CONFIG', 'BEMI_DATABASE_URL', 'BEMI_DATABASE_PASSWORD_COMMAND'];
const ofDestination = ['BEMI_DESTINATION_URL', 'BEMI_DESTINATION_PASSWORD_COMMAND'];
/** Of the process, and not of a source. */
const ofProcess = ['BEMI_LOG_LEVEL', 'BEMI_HOST', 'BEMI_PORT', 'BEMI_PUBLIC_URL', 'BEMI_STATE_DIR'].concat(
  'BEMI_TRUSTED_PROXIES',
  'BEMI_SIGNING_KEY',
  'BEMI_ENCRYPTION_KEY',
  ...settingNames.filter((name) => name === 'BEMI_ACCOUNTS_URL' || name.startsWith('BEMI_OIDC_')),
);

const commonNames = namesOf(settingNames.filter((name) => ![...notCommon, ...ofDestination].includes(name)));
const sourceNames = namesOf(
  settingNames.filter(
    (name) => !['BEMI_API_KEY', 'BEMI_CONFIG', ...ofDestination, ...ofProcess].includes(name),
  ),
);
const destinationNames = new Map([
  ['url', 'BEMI_DESTINATION_URL'],
  ['url_file', 'BEMI_DESTINATION_URL_FILE'],
  ['password_command', 'BEMI_DESTINATION_PASSWORD_COMMAND'],
]);

/** Variables by their names in the file. */
function namesOf(variables: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    variables.flatMap((variable): [string, string][] => {
      const name = ownNames[variable] ?? variable.slice('BEMI_'.length).toLowerCase();
      const isSecret = (secretSettings as readonly string[]).includes(variable);
      return [
        [name, variable],
        ...(isSecret ? [[`${name}_file`, `${variable}_FILE`] as [string, string]] : []),
      ];
    }),
  );
}

/** The file that is in a folder, if one is. */
export function findConfigFile(folder: string): string | undefined {
  const found = fileNames.filter((name) => readFileIfAny(join(folder, name)) !== undefined);
  if (found.length <= 1) return found[0] && join(folder, found[0]);
  throw configurationError(
    `There are ${found.join(' and ')}`,
    'Keep one of them, or name one by --config FILE.',
  );
}

/**
 * Reads the file, whose texts may name variables of the environment as `${NAME}`.
 *
 * @throws CliError with file, line and column, and the nearest name that is known.
 */
export function readConfigFile(path: string, environment: Environment): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw configurationError(
      `The configuration file ${path} can't be read: ${(error as NodeJS.ErrnoException).code}`,
      'Name a file that this process may read, by --config FILE or BEMI_CONFIG.',
    );
  }
  const name = dirname(path) === process.cwd() ? basename(path) : path;
  return new Reader(parseLocatedDocument(text, name), name, path, environment).read();
}

/** Reads one file. */
class Reader {
  readonly #document: LocatedDocument;
  readonly #name: string;
  readonly #path: string;
  readonly #environment: Environment;
  readonly #secrets: string[] = [];
  readonly #references = new Set<string>();

  constructor(document: LocatedDocument, name: string, path: string, environment: Environment) {
    this.#document = document;
    this.#name = name;
    this.#path = path;
    this.#environment = environment;
  }

  read(): ConfigFile {
    const top = this.#object([], this.#document.value ?? {});
    const common = new Map(this.#settings([], top, commonNames, ['destination', 'sources']));
    for (const [name, text] of this.#destination(top['destination'])) common.set(name, text);
    const sources = this.#sources(top['sources']);
    const { mode } = statSync(this.#path);
    const isExposed = (mode & 0o044) !== 0;
    return {
      path: this.#path,
      name: this.#name,
      common,
      sources,
      references: this.#references,
      exposed: isExposed ? this.#secrets : [],
    };
  }

  #destination(value: unknown): FileSettings {
    if (value === undefined || value === null) return new Map();
    const path = ['destination'];
    if (typeof value === 'string') {
      return new Map([['BEMI_DESTINATION_URL', this.#text(path, 'BEMI_DESTINATION_URL', value)]]);
    }
    return this.#settings(path, this.#object(path, value), destinationNames, []);
  }

  #sources(value: unknown): FileSource[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value))
      throw this.#wrong(['sources'], 'sources is a list', 'Begin each source with "- name:".');
    const sources = value.map((each, i) => this.#source(['sources', i], each));
    for (const [i, { name }] of sources.entries()) {
      const first = sources.findIndex((other) => other.name === name);
      if (first === i) continue;
      throw this.#wrong(
        ['sources', i, 'name'],
        `There is a source ${name} already, at ${sources[first]!.place}`,
        'Give each source, and so its log, a name of its own.',
      );
    }
    return sources;
  }

  #source(path: DocumentPath, value: unknown): FileSource {
    const source = this.#object(path, value);
    const settings = this.#settings(path, source, sourceNames, ['name', 'rules']);
    const { name } = source;
    if (typeof name !== 'string' || !/^[^\p{Cc}/]{1,63}$/u.test(name)) {
      throw this.#wrong(
        'name' in source ? [...path, 'name'] : path,
        'A source has a name, of up to 63 characters without /',
        'Name it: it is the name of its log, by default that of the database.',
      );
    }
    if (!settings.has('BEMI_DATABASE_URL') && !settings.has('BEMI_DATABASE_URL_FILE')) {
      throw this.#wrong(path, `The source ${name} has no url`, 'Write url: postgres://… or url_file: FILE.');
    }
    return {
      name,
      place: this.#document.place([...path, 'name']),
      settings,
      // Without anything behind it: everything is recorded, and that is the file's word.
      rules: !('rules' in source)
        ? undefined
        : source['rules'] === null
          ? noRules
          : rulesAt(this.#document, [...path, 'rules']),
    };
  }

  #settings(
    path: DocumentPath,
    values: Readonly<Record<string, unknown>>,
    names: ReadonlyMap<string, string>,
    others: readonly string[],
  ): FileSettings {
    const settings = new Map<string, SetText>();
    for (const [name, value] of Object.entries(values)) {
      if (others.includes(name)) continue;
      const variable = names.get(name);
      if (variable === undefined) throw this.#unknown([...path, name], name, [...names.keys(), ...others]);
      if (value === null) continue; // as a variable that is set to nothing
      settings.set(variable, this.#text([...path, name], variable, value));
    }
    return settings;
  }

  #text(path: DocumentPath, variable: string, value: unknown): SetText {
    const name = path.at(-1);
    const setWith = `${name} (${this.#document.place(path)})`;
    if (typeof value === 'number' || typeof value === 'boolean') return { text: String(value), setWith };
    if (typeof value !== 'string')
      throw this.#wrong(path, `${name} is a text or a number`, 'Write it in one line.');
    const text = value.replace(/(\$?)\$\{([^}]*)\}/g, (whole, dollar: string, reference: string) => {
      if (dollar !== '') return whole.slice(1);
      this.#references.add(reference);
      const named = this.#environment[reference];
      if (named !== undefined && named !== '') return named;
      const message = `${name} names ${whole}, which is not set in the environment`;
      throw this.#wrong(path, message, `Set ${reference}; or write $${whole} for these characters.`);
    });
    if (text === value && isSecret(variable, text)) this.#secrets.push(setWith);
    return { text, setWith };
  }

  #object(path: DocumentPath, value: unknown): Readonly<Record<string, unknown>> {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
    const name = path.at(-1) ?? 'The file';
    throw this.#wrong(path, `${name} has names and values`, 'Write name: value in each line.');
  }

  #unknown(path: DocumentPath, name: string, known: readonly string[]): CliError {
    const nearest = nearestName(name, known);
    const fix =
      nearest === undefined ? `Remove it. Known here: ${known.join(', ')}.` : `Did you mean ${nearest}?`;
    return this.#wrong(
      path,
      `${name} is not a setting ${path.length === 1 ? 'of Bemi' : 'that is known here'}`,
      fix,
    );
  }

  #wrong(path: DocumentPath, message: string, fix: string): CliError {
    return configurationError(`${this.#document.place(path)}: ${message}`, fix);
  }
}

/** Whether a text is a secret by itself. A URL is one where it has a password, or is one that whoever knows it may post to. */
function isSecret(variable: string, text: string): boolean {
  if (!(secretSettings as readonly string[]).includes(variable)) return false;
  if (!variable.endsWith('_URL') || variable.startsWith('BEMI_ALERT_')) return true;
  return URL.canParse(text) && new URL(text).password !== '';
}

import { describeTarget, parseConnectionString } from '@bemi-db/source/connection-string';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { isWithoutRules } from '@bemi-db/trail/rules/tracking-rules';
import { configurationError } from '../cli-error.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print, printNote } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { refuseSharedSlots } from '../recording/configured-sources.ts';
import { rulesSummary } from '../tracking-rules/rules-text.ts';
import { type Configuration, type ConfiguredSource, loadConfiguration } from './configuration.ts';
import { type SettingName, secretSettings, settingNames } from './settings.ts';

/** The flags of `bemi config check`. */
export interface ConfigCheckFlags {
  readonly config?: string;
  readonly json?: true;
}

/** Prints what is in force, without secrets. Nothing is connected to. */
export async function runConfigCheck(flags: ConfigCheckFlags): Promise<void> {
  const { config } = flags;
  const configuration = loadConfiguration({
    flags: { BEMI_CONFIG: config === undefined ? undefined : { text: config, setWith: '--config' } },
  });
  const { file, sources } = configuration;
  refuseSharedSlots(configuration);
  if (flags.json) await print(`${JSON.stringify(configurationJson(configuration))}\n`);
  else await print(configurationText(configuration));
  if (file && file.exposed.length > 0) {
    printNote(
      `${textStyle(process.stderr).colors.yellow('!')} Others than its owner may read ${file.name}, which has secrets in it: ${file.exposed.join(', ')}\n` +
        `  chmod 600 ${file.path}, or name variables in it: \${NAME}\n`,
    );
  }
  if (sources.length === 0) {
    throw configurationError(
      'No source is configured',
      'Write sources into bemi.config.yaml, or set BEMI_DATABASE_URL.',
    );
  }
}

const shownElsewhere: readonly SettingName[] = [
  'BEMI_DATABASE_URL',
  'BEMI_DESTINATION_URL',
  'BEMI_REPLICATION_SLOT',
  'BEMI_PUBLICATION',
  'BEMI_CONFIG',
];

function configurationJson(configuration: Configuration): object {
  const { file, sources } = configuration;
  return {
    file: file?.path ?? null,
    sources: sources.map(({ name, rules, urlSetWith, ...source }) => ({
      name: name ?? databaseOf(source.databaseUrl, urlSetWith),
      connection: connectionText(source.databaseUrl, urlSetWith),
      setWith: urlSetWith,
      slot: source.slot,
      publication: source.publication,
      bufferSize: source.bufferSize,
      maximumRowBytes: source.maximumRowBytes,
      retentionDays: source.retentionDays,
      rules: rules?.rules ?? null,
    })),
    destination: destinationText(configuration) ?? null,
    settings: settingRows(configuration).map(([name, value, setWith]) => ({ name, value, setWith })),
    exposed: file?.exposed ?? [],
  };
}

function configurationText(configuration: Configuration): string {
  const style = textStyle(process.stdout);
  const { colors } = style;
  const { file, sources } = configuration;
  const count = `${sources.length} ${sources.length === 1 ? 'source' : 'sources'}`;
  const sections = [
    file
      ? `${colors.green('✓')} ${colors.bold(file.name)}  ${count}\n`
      : `There is no configuration file: this is what the environment and .bemi/worker.env say.\n`,
    ...sources.map((source) => {
      const { databaseUrl, urlSetWith, slot, publication, rules } = source;
      const name = source.name ?? databaseOf(databaseUrl, urlSetWith);
      return `${colors.bold(harmless(name))}\n${labelledLines(
        [
          ['Source', `${connectionText(databaseUrl, urlSetWith)}  ${colors.dim(urlSetWith)}`],
          ['Slot', slot],
          ['Publication', harmless(publication)],
          ['Rules', rulesLine(rules)],
          ...ownRows(source, configuration),
        ],
        style,
      )}`;
    }),
    `${colors.bold('Audit database')}  ${destinationText(configuration) ?? colors.yellow('not configured: destination, BEMI_DESTINATION_URL, or --embedded')}\n`,
  ];
  const rows = settingRows(configuration);
  if (rows.length > 0) {
    const lines = rows.map(
      ([name, value, setWith]) => [name, `${harmless(value)}  ${colors.dim(setWith)}`] as const,
    );
    sections.push(
      `${colors.bold('Settings')}  the others have their defaults\n${labelledLines(lines, style)}`,
    );
  }
  return sections.join('\n');
}

function rulesLine(rules: ConfiguredSource['rules']): string {
  if (!rules) return 'those that the log has: bemi rules';
  return isWithoutRules(rules.rules) ? 'every published table, as it is' : rulesSummary(rules.rules);
}

/** What a source has otherwise than the others. */
function ownRows(source: ConfiguredSource, { file }: Configuration): [string, string][] {
  const own = file?.sources.find(({ name }) => name === source.name)?.settings;
  return [...(own ?? [])].flatMap(([variable, { text }]): [string, string][] => {
    if (/^BEMI_(DATABASE_|REPLICATION_SLOT|PUBLICATION)/.test(variable)) return [];
    return [[variable, isSecretName(variable) ? 'set' : harmless(text)]];
  });
}

/** Settings that are set, with what: secrets only that they are. */
function settingRows({ find }: Configuration): [string, string, string][] {
  return settingNames.flatMap((name): [string, string, string][] => {
    const set = shownElsewhere.includes(name) ? undefined : find(name);
    return set ? [[name, isSecretName(name) ? 'set' : set.text, set.setWith]] : [];
  });
}

/** A command may have a secret in it, and so may the URL of a place of publication. */
function isSecretName(name: string): boolean {
  return (
    (secretSettings as readonly string[]).some((secret) => name === secret) ||
    /^BEMI_(API_KEY|CHECKPOINT_URL|.*_COMMAND)$/.test(name)
  );
}

function destinationText({ destinationUrl, find }: Configuration): string | undefined {
  if (destinationUrl === undefined) return undefined;
  return connectionText(destinationUrl, find('BEMI_DESTINATION_URL')?.setWith ?? 'BEMI_DESTINATION_URL');
}

function connectionText(url: ConfiguredSource['databaseUrl'], setWith: string): string {
  return harmless(describeTarget(parseConnectionString(url, setWith).target));
}

function databaseOf(url: ConfiguredSource['databaseUrl'], setWith: string): string {
  return parseConnectionString(url, setWith).target.database;
}

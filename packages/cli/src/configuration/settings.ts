import { roles } from '@bemi-db/dashboard/api/permission';
import type { SingleSignOn } from '@bemi-db/dashboard/server/accounts/authentication';
import { checkTrustedProxies, TrustedProxyError } from '@bemi-db/dashboard/server/client-address';
import type { SecretConnection } from '@bemi-db/source/connection-string';
import { slotNameProblem } from '@bemi-db/source/slot-name';

/** Every setting that there is, by the name of its environment variable. The order is that of the manual. */
export const settingNames = [
  'BEMI_DATABASE_URL',
  'BEMI_DESTINATION_URL',
  'BEMI_DATABASE_PASSWORD_COMMAND',
  'BEMI_DESTINATION_PASSWORD_COMMAND',
  'BEMI_REPLICATION_SLOT',
  'BEMI_PUBLICATION',
  'BEMI_LOG_LEVEL',
  'BEMI_BUFFER_SIZE',
  'BEMI_RETENTION_DAYS',
  'BEMI_API_KEY',
  'BEMI_STATE_DIR',
  'BEMI_SIGNING_KEY',
  'BEMI_CHECKPOINT_URL',
  'BEMI_CHECKPOINT_TOKEN',
  'BEMI_ENCRYPTION_KEY',
  'BEMI_MAX_ROW_BYTES',
  'BEMI_HEALTHY_LAG_BYTES',
  'BEMI_RETAINED_WAL_BYTES',
  'BEMI_ALERT_WEBHOOK_URL',
  'BEMI_ALERT_SLACK_URL',
  'BEMI_ALERT_EMAIL',
  'BEMI_ALERT_FROM',
  'BEMI_SMTP_URL',
  'BEMI_HOST',
  'BEMI_PORT',
  'BEMI_PUBLIC_URL',
  'BEMI_TRUSTED_PROXIES',
  'BEMI_ACCOUNTS_URL',
  'BEMI_OIDC_ISSUER',
  'BEMI_OIDC_CLIENT_ID',
  'BEMI_OIDC_CLIENT_SECRET',
  'BEMI_OIDC_DEFAULT_ROLE',
  'BEMI_CONFIG',
] as const;

/** Those that may be secret, and can be read from a file that a variable of this name with `_FILE` names. */
export const secretSettings: readonly SettingName[] = [
  'BEMI_DATABASE_URL',
  'BEMI_DESTINATION_URL',
  'BEMI_SIGNING_KEY',
  'BEMI_ENCRYPTION_KEY',
  'BEMI_CHECKPOINT_TOKEN',
  'BEMI_ALERT_WEBHOOK_URL',
  'BEMI_ALERT_SLACK_URL',
  'BEMI_SMTP_URL',
  'BEMI_ACCOUNTS_URL',
  'BEMI_OIDC_CLIENT_SECRET',
];

export type SettingName = (typeof settingNames)[number];

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What a setting is worth. URLs are checked where they are used: their errors say more there. */
export interface Settings {
  readonly databaseUrl: string | SecretConnection | undefined;
  readonly destinationUrl: string | SecretConnection | undefined;
  readonly slot: string;
  readonly publication: string;
  readonly logLevel: LogLevel;
  /** Changes in an audit transaction before it is committed. */
  readonly bufferSize: number;
  readonly retentionDays: number;
  readonly maximumRowBytes: number;
  /** Where the worker keeps its signing key and what it signed last; `.bemi` in the project where it is not set. */
  readonly stateDirectory: string | undefined;
  /** Where checkpoints are published besides there. */
  readonly checkpointUrl: string | undefined;
  /** For an HTTP endpoint there. A secret. */
  readonly checkpointToken: string | undefined;
  /** In place of the key's file. A secret. */
  readonly signingKey: string | undefined;
  /** By which the applications' keys are encrypted in the audit database. A secret. */
  readonly encryptionKey: string | undefined;
  /** Below, a lag is healthy. */
  readonly healthyLagBytes: number;
  /** From there on, what the source keeps for the slot is alarming. */
  readonly retainedWalBytes: number;
  /** Where alerts are posted as JSON. A secret. */
  readonly alertWebhookUrl: string | undefined;
  /** An incoming webhook of Slack. A secret. */
  readonly alertSlackUrl: string | undefined;
  /** Addresses, with commas between, and whom the mail comes from. */
  readonly alertEmail: string | undefined;
  readonly alertFrom: string | undefined;
  /** The mail server, with its password: a secret. */
  readonly smtpUrl: string | undefined;
  readonly host: string;
  readonly port: number;
  /** Where people reach the dashboard, without a slash at the end. */
  readonly publicUrl: string | undefined;
  /** Proxies before it, whose `X-Forwarded-For` is believed: addresses and networks. */
  readonly trustedProxies: readonly string[];
  /** Where the accounts of the dashboard are, if not in the audit database as its role. A secret. */
  readonly accountsUrl: string | undefined;
  /** The provider that people sign in with, besides passwords. */
  readonly singleSignOn: SingleSignOn | undefined;
}

/** A text that was set, and with what: the environment variable or the flag, for messages. */
export interface SetText {
  readonly text: string;
  readonly setWith: string;
  /** The file that it was read from. */
  readonly file?: string;
}

/** Why a text is not worth anything for a setting. */
export interface SettingProblem {
  readonly message: string;
  readonly fix: string;
}

export class SettingError extends Error {
  override readonly name = 'SettingError';
  readonly problem: SettingProblem;

  constructor(problem: SettingProblem) {
    super(problem.message);
    this.problem = problem;
  }
}

/**
 * Turns texts into settings, defaults included.
 *
 * @param find - what a setting is set to, if it is.
 * @throws SettingError for the first one that can't be used.
 */
export function readSettings(find: (name: SettingName) => SetText | undefined): Settings {
  const text = (name: SettingName, fallback: string): SetText =>
    find(name) ?? { text: fallback, setWith: name };
  return {
    databaseUrl: connection(find('BEMI_DATABASE_URL'), find('BEMI_DATABASE_PASSWORD_COMMAND')),
    destinationUrl: connection(find('BEMI_DESTINATION_URL'), find('BEMI_DESTINATION_PASSWORD_COMMAND')),
    slot: slotName(text('BEMI_REPLICATION_SLOT', 'bemi_slot')),
    publication: publicationName(text('BEMI_PUBLICATION', 'bemi_publication')),
    logLevel: logLevel(text('BEMI_LOG_LEVEL', 'info')),
    bufferSize: wholeNumber(text('BEMI_BUFFER_SIZE', '1000'), 1, 1_000_000, 'changes'),
    // Six years with two leap days: the guides' 2190 days fall short of them.
    retentionDays: wholeNumber(text('BEMI_RETENTION_DAYS', '2192'), 1, 36_525, 'days'),
    maximumRowBytes: wholeNumber(
      text('BEMI_MAX_ROW_BYTES', String(64 * 1024 ** 2)),
      1024,
      1024 ** 3,
      'bytes',
    ),
    stateDirectory: find('BEMI_STATE_DIR')?.text,
    checkpointUrl: find('BEMI_CHECKPOINT_URL')?.text,
    checkpointToken: find('BEMI_CHECKPOINT_TOKEN')?.text,
    signingKey: find('BEMI_SIGNING_KEY')?.text,
    encryptionKey: find('BEMI_ENCRYPTION_KEY')?.text,
    healthyLagBytes: wholeNumber(
      text('BEMI_HEALTHY_LAG_BYTES', String(100 * 1024)),
      1024,
      1024 ** 4,
      'bytes',
    ),
    retainedWalBytes: wholeNumber(
      text('BEMI_RETAINED_WAL_BYTES', String(10 * 1024 ** 3)),
      1024 ** 2,
      1024 ** 5,
      'bytes',
    ),
    alertWebhookUrl: url(find('BEMI_ALERT_WEBHOOK_URL'), ['https:', 'http:']),
    alertSlackUrl: url(find('BEMI_ALERT_SLACK_URL'), ['https:', 'http:']),
    alertEmail: find('BEMI_ALERT_EMAIL')?.text,
    alertFrom: find('BEMI_ALERT_FROM')?.text,
    smtpUrl: url(find('BEMI_SMTP_URL'), ['smtp:', 'smtps:']),
    host: text('BEMI_HOST', '127.0.0.1').text,
    port: wholeNumber(text('BEMI_PORT', '4000'), 0, 65_535, ''),
    publicUrl: url(find('BEMI_PUBLIC_URL'), ['https:', 'http:'])?.replace(/\/+$/, ''),
    trustedProxies: trustedProxies(find('BEMI_TRUSTED_PROXIES')),
    accountsUrl: url(find('BEMI_ACCOUNTS_URL'), ['postgres:', 'postgresql:']),
    singleSignOn: singleSignOn(find),
  };
}

/** A URL that is in a file, or has a command beside it, is asked for its password each time. */
function connection(
  url: SetText | undefined,
  command: SetText | undefined,
): string | SecretConnection | undefined {
  if (url === undefined) return undefined;
  if (url.file === undefined && command === undefined) return url.text;
  return {
    url: url.text,
    ...(url.file === undefined ? {} : { urlFile: url.file }),
    ...(command === undefined ? {} : { passwordCommand: command.text }),
  };
}

function wholeNumber({ text, setWith }: SetText, least: number, most: number, unit: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const what = unit === '' ? 'a whole number' : `a whole number of ${unit}`;
  throw new SettingError({
    message: `${setWith} is ${JSON.stringify(text)}, which is not ${what} from ${least} to ${most}`,
    fix: `Set it to ${what} from ${least} to ${most}, without unit or separators.`,
  });
}

/** The text of a URL that may hold a secret: it is in no message. */
function url(set: SetText | undefined, protocols: readonly string[]): string | undefined {
  if (set === undefined) return undefined;
  const parsed = URL.canParse(set.text) ? new URL(set.text) : undefined;
  if (parsed && protocols.includes(parsed.protocol)) return set.text;
  const forms = protocols.map((protocol) => `${protocol}//…`).join(' or ');
  throw new SettingError({
    message: `${set.setWith} is not a URL of the form ${forms}`,
    fix: 'Correct it; characters such as @ / : # in a password are written as %40 %2F %3A %23.',
  });
}

function trustedProxies(set: SetText | undefined): readonly string[] {
  const proxies = (set?.text ?? '').split(/[\s,]+/).filter((each) => each !== '');
  try {
    checkTrustedProxies(proxies);
  } catch (error) {
    if (!(error instanceof TrustedProxyError)) throw error;
    throw new SettingError({
      message: `${set?.setWith} has something that is neither an address nor a network: ${error.message}`,
      fix: 'Set it to the addresses of the proxies before Bemi, such as 10.0.0.7 or 10.0.0.0/8, with commas between; loopback is those of this machine.',
    });
  }
  return proxies;
}

function singleSignOn(find: (name: SettingName) => SetText | undefined): SingleSignOn | undefined {
  const issuer = url(find('BEMI_OIDC_ISSUER'), ['https:', 'http:']);
  const clientId = find('BEMI_OIDC_CLIENT_ID')?.text;
  const clientSecret = find('BEMI_OIDC_CLIENT_SECRET')?.text;
  const role = find('BEMI_OIDC_DEFAULT_ROLE');
  const set = [issuer, clientId, clientSecret, role];
  if (set.every((each) => each === undefined)) return undefined;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) {
    throw new SettingError({
      message: 'Single sign-on is set in part',
      fix: 'Set BEMI_OIDC_ISSUER, BEMI_OIDC_CLIENT_ID and BEMI_OIDC_CLIENT_SECRET, or none of them.',
    });
  }
  const defaultRole = roles.find((each) => each === role?.text);
  if (role !== undefined && defaultRole === undefined) {
    throw new SettingError({
      message: `${role.setWith} is ${JSON.stringify(role.text)}, which is not a role`,
      fix: `Set it to one of ${roles.join(', ')}, or leave it out: an admin gives roles then.`,
    });
  }
  return { issuer, clientId, clientSecret, defaultRole };
}

function slotName({ text, setWith }: SetText): string {
  const problem = slotNameProblem(text);
  if (problem === undefined) return text;
  throw new SettingError({
    message: `${setWith} is ${JSON.stringify(text)}, which PostgreSQL doesn't take for a replication slot: ${problem}`,
    fix: 'Use lower-case letters, digits and underscores, 63 at most, such as bemi_slot.',
  });
}

function publicationName({ text, setWith }: SetText): string {
  if (Buffer.byteLength(text) <= 63) return text;
  throw new SettingError({
    message: `${setWith} is longer than the 63 bytes that PostgreSQL allows`,
    fix: 'Use a shorter name, such as bemi_publication.',
  });
}

function logLevel({ text, setWith }: SetText): LogLevel {
  const level = logLevels.find((each) => each === text.toLowerCase());
  if (level) return level;
  throw new SettingError({
    message: `${setWith} is ${JSON.stringify(text)}, which is not a log level`,
    fix: `Set it to one of ${logLevels.join(', ')}.`,
  });
}

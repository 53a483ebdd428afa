import { randomBytes } from 'node:crypto';
import {
  describeTarget,
  type ParsedConnection,
  parseConnectionString,
  urlTextOf,
} from '@bemi-db/source/connection-string';
import { printableSql } from '@bemi-db/source/plan-step';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { inspectRoles, lockSetup, type TrailRolesSnapshot } from '@bemi-db/trail/roles/inspect-roles';
import { planRoles, type TrailRolesStep } from '@bemi-db/trail/roles/plan-roles';
import { defaultTrailRoles, TrailRolesError, type WantedTrailRoles } from '@bemi-db/trail/roles/trail-roles';
import { connect } from '@bemi-db/worker/connections';
import type pg from 'pg';
import { CliError, configurationError, usageError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { explained } from '../connecting/explained.ts';
import { invocation } from '../output/invocation.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { carryOut } from './carry-out.ts';
import { configuredAs, writeDestination } from './destination-environment.ts';
import { urlAs } from './worker-url.ts';

/** The flags of `bemi setup --destination`, as they are typed. */
export interface DestinationFlags {
  /** `true` where no URL follows. */
  readonly destination: string | true;
  readonly owner?: string;
  readonly writer?: string;
  readonly reader?: string;
  readonly accounts?: string;
  readonly dryRun?: true;
  readonly yes?: true;
}

/**
 * Gives an audit database its schema and its roles, so that the worker can append and nothing else: looks, plans, asks, does
 * it, looks again.
 *
 * @throws CliError with exit code 1 when something stays in the way, or the answer is no.
 */
export async function runDestinationSetup(flags: DestinationFlags): Promise<void> {
  const configuration = loadConfiguration();
  const url = flags.destination === true ? configuration.destinationUrl : flags.destination;
  if (url === undefined) {
    throw configurationError(
      'No audit database is named',
      'Name it as a superuser or its administrator: bemi setup --destination postgres://postgres:password@host:5432/database',
    );
  }
  const connection = parseConnectionString(
    url,
    flags.destination === true ? 'BEMI_DESTINATION_URL' : '--destination',
  );
  const attempt = { database: 'audit', target: connection.target } as const;
  const open = await explained({ ...attempt, phase: 'connect' }, () => connect(connection, 'command'));
  try {
    await explained({ ...attempt, phase: 'inspect' }, () =>
      setUp(open.client, connection, urlTextOf(url), flags, configuration),
    );
  } catch (error) {
    if (!(error instanceof TrailRolesError)) throw error;
    throw new CliError(error.code === 'same-role' ? 2 : 1, error.code, error.message, error.fix);
  } finally {
    await open.close();
  }
}

async function setUp(
  client: pg.Client,
  { target }: ParsedConnection,
  url: string,
  flags: DestinationFlags,
  configuration: Configuration,
): Promise<void> {
  const names = {
    owner: flags.owner ?? defaultTrailRoles.owner,
    writer: flags.writer ?? defaultTrailRoles.writer,
    reader: flags.reader ?? defaultTrailRoles.reader,
    accounts: flags.accounts ?? defaultTrailRoles.accounts,
  };
  const configured = configuredAs(names.writer, configuration, target);
  const wanted: WantedTrailRoles = {
    ...names,
    writerPassword: configured?.password ?? newPassword(),
    readerPassword: newPassword(),
    accountsPassword: newPassword(),
  };
  if (!flags.dryRun) await lockSetup(client);
  const before = await inspectRoles(client, names);
  const steps = planRoles(before, wanted);
  if (flags.dryRun) {
    await print(steps.map((step) => `${printableSql(step)}\n`).join(''));
    return;
  }
  const style = textStyle(process.stdout);
  await print(`${style.colors.bold('Audit database')}  ${harmless(describeTarget(target))}\n`);
  if (steps.length === 0) await print(`${style.colors.green('✓')} Nothing is missing.\n`);
  else {
    await carryOut(client, steps, { isAgreed: flags.yes === true });
    refuseRest(await inspectRoles(client, names), wanted);
  }
  await print(`\n${await ending({ steps, wanted, url, configured, configuration })}`);
}

function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

/** What granting and revoking did not cure: a right that comes from another role. */
function refuseRest(after: TrailRolesSnapshot, wanted: WantedTrailRoles): void {
  if (planRoles(after, wanted).length === 0) return;
  const memberships = (['writer', 'reader'] as const).flatMap((which) =>
    (after[which]?.memberOf ?? []).map((role) => `REVOKE "${role}" FROM "${wanted[which]}";`),
  );
  throw new CliError(
    1,
    'privileges-left',
    `The roles still may do other things than they should: ${after.misgranted.join(', ')}`,
    memberships.length > 0
      ? `They come from other roles. ${memberships.join(' ')}\nThen run bemi setup --destination again.`
      : 'Run bemi setup --destination again: somebody changed privileges meanwhile.',
  );
}

interface Outcome {
  readonly steps: readonly TrailRolesStep[];
  readonly wanted: WantedTrailRoles;
  /** The administrator's. */
  readonly url: string;
  readonly configured: ReturnType<typeof configuredAs>;
  readonly configuration: Configuration;
}

/** Where it wrote what, and the next command to run. */
async function ending({ steps, wanted, url, configured, configuration }: Outcome): Promise<string> {
  const style = textStyle(process.stdout);
  const { colors } = style;
  const isNew = (id: string) => steps.some((step) => step.id === id);
  const rows: [string, string][] = [];
  const workerUrl = isNew('writer create')
    ? urlAs(url, wanted.writer, wanted.writerPassword)
    : configured?.url;
  if (workerUrl === undefined) {
    rows.push([
      'Password',
      `the role ${harmless(wanted.writer)} existed already, so its password isn't known here:\n` +
        'set BEMI_DESTINATION_URL to its URL, in the environment or in .bemi/worker.env',
    ]);
  } else {
    const accountsUrl = isNew('accounts create')
      ? urlAs(url, wanted.accounts, wanted.accountsPassword)
      : undefined;
    const { file, isOverridden } = writeDestination(workerUrl, accountsUrl);
    rows.push([
      'Worker',
      `.bemi/worker.env ${file === 'written' ? 'is written, readable by you alone' : 'is as it was'}: it appends as ${harmless(wanted.writer)}`,
    ]);
    if (accountsUrl !== undefined) {
      rows.push(['Dashboard', `it keeps its accounts as ${harmless(wanted.accounts)}: in the same file`]);
    }
    if (isOverridden) {
      rows.push([
        'Mind',
        colors.yellow('BEMI_DESTINATION_URL in the environment goes before the file: unset it'),
      ]);
    }
  }
  if (isNew('reader create')) {
    rows.push([
      'Reader',
      `${harmless(urlAs(url, wanted.reader, wanted.readerPassword))}\nshown this once: for bemi log, history and verify elsewhere, and for SQL`,
    ]);
  }
  rows.push([
    'Next',
    configuration.databaseUrl === undefined
      ? `${colors.cyan(`${invocation()} setup --admin-url postgres://postgres:password@host:5432/application`)}   prepares the source`
      : colors.cyan(`${invocation()} worker`),
  ]);
  return labelledLines(rows, style);
}

/** Flags that say how to prepare a source, and nothing of an audit database; and the other way round. */
export function refuseMixedFlags(flags: Readonly<Record<string, unknown>>): void {
  const isDestination = flags['destination'] !== undefined;
  const others = isDestination
    ? ['adminUrl', 'tables', 'role', 'identity', 'ddlText', 'provider', 'source', 'slot', 'publication']
    : ['owner', 'writer', 'reader', 'accounts'];
  const wrong = others.find((name) => flags[name] !== undefined);
  if (wrong === undefined) return;
  const flag = `--${wrong.replace(/[A-Z]/, (letter) => `-${letter.toLowerCase()}`)}`;
  throw isDestination
    ? usageError(
        `${flag} says how to prepare a source, and --destination prepares the audit database`,
        'Run bemi setup twice, once for each.',
      )
    : usageError(`${flag} is for the audit database`, 'Add --destination [URL].');
}

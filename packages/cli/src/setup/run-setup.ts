import { ApplyError } from '@bemi-db/source/apply-error';
import { check } from '@bemi-db/source/check';
import { checkServer } from '@bemi-db/source/check-server';
import {
  describeTarget,
  parseConnectionString,
  type SecretConnection,
  urlTextOf,
} from '@bemi-db/source/connection-string';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import type { Finding } from '@bemi-db/source/finding';
import { identityCosts, tablesOf } from '@bemi-db/source/identity-cost';
import { inspect } from '@bemi-db/source/inspect';
import { type PlanStep, printableSql } from '@bemi-db/source/plan-step';
import { plainText, providerOf } from '@bemi-db/source/providers/recognise';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';
import type { MeantConfiguration } from '../connecting/meant-source.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { invocation } from '../output/invocation.ts';
import { print, printNote } from '../output/print.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { findingsText } from '../status/status-text.ts';
import { adminConnection } from './admin-connection.ts';
import { carryOut } from './carry-out.ts';
import { identityCostText } from './identity-cost-text.ts';
import { nextCommand } from './next-command.ts';
import { chosenIdentity, sourceSteps } from './source-steps.ts';
import { parseTableSelection, selectTables } from './tables-argument.ts';
import { configurationWith, type SourceFlags, wantedRole } from './wanted-source.ts';
import { withoutTriggersText } from './without-triggers-text.ts';
import { writeWorkerEnvironment } from './worker-environment.ts';

/** The flags of `bemi setup`, as they are typed. */
export interface SetupFlags extends SourceFlags {
  readonly dryRun?: true;
  readonly tables?: string;
  readonly role?: string;
  readonly identity?: 'full' | 'default';
  /** False with --no-event-triggers. */
  readonly eventTriggers: boolean;
  readonly ddlText?: 'keep' | 'none';
  readonly yes?: true;
}

/** What no statement cures without a restart or another server: said before anything is changed. */
const stoppingChecks = new Set(['version', 'primary', 'wal-level', 'free-slots']);
/** Of a slot that is there, of another database or lost, only a person can say whether it may go. */
const slotChecks = new Set(['slot', 'slot-health']);

/**
 * Brings a source to where the worker can record it: looks, plans, asks, does it, looks again.
 *
 * @throws CliError with exit code 1 when something stays in the way, or the answer is no.
 */
export async function runSetup(flags: SetupFlags): Promise<void> {
  const configuration = await configurationWith(flags);
  const { url: adminUrl, setWith } = adminConnection(flags, configuration, 'setup');
  if (!flags.dryRun) refuseOtherRole(flags.role, configuration);
  const selection = flags.tables === undefined ? undefined : parseTableSelection(flags.tables);
  const named = {
    ...{ slot: configuration.slot, publication: configuration.publication },
    ...wantedRole(flags.role ?? ownRole(configuration, adminUrl, setWith), configuration.databaseUrl),
  };
  await withSourceDatabase(adminUrl, setWith, async ({ client, connection }) => {
    const look = () => inspect(client, { ...named, ...(flags.provider ? { provider: flags.provider } : {}) });
    const before = await look();
    // Of an older server or a standby there is nothing to plan.
    const hopeless = checkServer(before).filter(
      ({ id, verdict }) => verdict === 'failure' && (id === 'version' || id === 'primary'),
    );
    if (hopeless.length > 0) throw stopped(hopeless);
    const wanted: Wanted = {
      ...named,
      tables: selection ? selectTables(selection, before) : 'all',
      identity: flags.identity ?? chosenIdentity(await inspectDdl(client)),
    };
    const stopping = check(before, wanted).filter(
      ({ id, verdict }) =>
        verdict === 'failure' &&
        (stoppingChecks.has(id) || (before.slot !== undefined && slotChecks.has(id))),
    );
    refuseAllTables(before, wanted);
    const { steps, isWithoutTriggers } = await sourceSteps(
      client,
      before,
      wanted,
      flags.eventTriggers,
      flags.ddlText,
    );
    const costs = await costOf(client, before, steps);
    if (flags.dryRun) {
      await print(steps.map((step) => `${printableSql(step)}\n`).join(''));
      printNote(costs(textStyle(process.stderr)));
      if (stopping.length > 0) throw stopped(stopping);
      return;
    }
    if (stopping.length > 0) throw stopped(stopping);
    const style = textStyle(process.stdout);
    await print(
      `${style.colors.bold('Source')}  ${harmless(describeTarget(connection.target))}, PostgreSQL ${before.server.versionText}\n`,
    );
    const facts = {
      ...{ configuration, adminUrl: urlTextOf(adminUrl), wanted },
      admin: connection.target,
      isRoleNew: steps.some((step) => step.id === 'role create'),
    };
    let left: ApplyError | undefined;
    try {
      if (steps.length > 0)
        left = await carryOut(client, steps, { isAgreed: flags.yes === true, note: costs(style) });
    } catch (error) {
      // The password of a role that was made is known here alone.
      const isWritten = facts.isRoleNew && !configuration.added;
      if (error instanceof ApplyError && isWritten && (await look()).namedRole) {
        writeWorkerEnvironment(facts);
      }
      throw error;
    }

    const after = steps.length === 0 ? before : await look();
    const findings = check(after, wanted).filter(
      // With --identity default, that is what was asked for.
      ({ id, verdict }) => verdict !== 'ok' && !(id === 'identity-full' && wanted.identity === 'default'),
    );
    const failure = findings.find(({ verdict }) => verdict === 'failure');
    if (steps.length === 0 && !failure) {
      await print(`${style.colors.green('✓')} Nothing is missing: it is ready to be recorded.\n`);
    }
    // What is said last, as the error, is not said twice.
    const listed = left ? findings : findings.filter((finding) => finding !== failure);
    if (listed.length > 0) await print(`\n${findingsText(listed, style)}`);
    const written = configuration.added ? undefined : writeWorkerEnvironment(facts);
    if (failure) throw left ?? stopped([failure]);

    await print(
      written
        ? `\n${nextCommand({ ...written, configuration, snapshot: after, wanted }, style)}`
        : `\n  Next  a worker that runs takes it up by itself: ${invocation()} doctor --source ${configuration.added!.name}\n`,
    );
    const others = left?.undone.filter(({ step, code }) => step.kind !== 'ddl' || !isRefusal(code)) ?? [];
    const isRefused = left !== undefined && others.length < left.undone.length;
    if (isWithoutTriggers || isRefused) await print(`\n${withoutTriggersText(style)}`);
    if (others.length > 0) throw left;
  });
}

/** Whom the worker connects to an added source as, where that is somebody else than this command does. */
function ownRole(
  { added, databaseUrl }: MeantConfiguration,
  adminUrl: string | SecretConnection,
  setWith: string,
): string | undefined {
  // Without its password a role could not be made as it is wanted.
  if (!added || databaseUrl === undefined) return undefined;
  return parseConnectionString(adminUrl, setWith).target.role === added.role ? undefined : added.role;
}

/** The connection of an added source is not ours to write: with another role, or password, nobody could connect. */
function refuseOtherRole(role: string | undefined, { added }: MeantConfiguration): void {
  if (!added || role === undefined || role === added.role) return;
  throw usageError(
    `--role ${role} is not whom the worker connects to ${added.name} as: that is ${added.role}`,
    `Name ${added.role}, or none. For another role, run what --dry-run prints, with a password of yours; then give the source in the dashboard that role's connection string.`,
  );
}

/** What the steps that set REPLICA IDENTITY FULL will cost. */
async function costOf(
  client: pg.Client,
  snapshot: SourceSnapshot,
  steps: readonly PlanStep[],
): Promise<(style: TextStyle) => string> {
  const full = steps.filter(({ kind, sql }) => kind === 'identity' && sql.endsWith('FULL;'));
  const tables = tablesOf(
    snapshot.tables,
    full.flatMap(({ tables: altered }) => altered ?? []),
  ).filter(({ kind }) => kind === 'table');
  const costs = await identityCosts(client, tables);
  return (style) => identityCostText(costs, tables.length, style);
}

/** Said before anything is changed, where the provider is known to refuse it. */
function refuseAllTables({ server, role, publication }: SourceSnapshot, wanted: Wanted): void {
  const { title, allTables } = providerOf(server.provider);
  if (wanted.tables !== 'all' || publication || role.isSuperuser || allTables.isAllowed !== 'no') return;
  throw new CliError(
    1,
    'all-tables',
    `${title} does not let ${role.name} make a publication for all tables`,
    plainText(allTables.note),
  );
}

/** Whether the server refused it, or it was left out with another. */
function isRefusal(code: string | undefined): boolean {
  return code === '42501' || code === undefined;
}

function stopped(findings: readonly Finding[]): CliError {
  const [first] = findings;
  return new CliError(
    1,
    first?.id ?? 'finding',
    findings.map(({ title, evidence }) => `${title} (${evidence})`).join('; '),
    `${findings.map(({ fix }) => fix).join('\n')}\nThen run bemi setup again.`,
  );
}

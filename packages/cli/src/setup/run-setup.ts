import { randomBytes } from 'node:crypto';
import { ApplyError } from '@bemi-db/source/apply-error';
import { check } from '@bemi-db/source/check';
import { describeTarget, parseConnectionString, urlTextOf } from '@bemi-db/source/connection-string';
import type { Finding } from '@bemi-db/source/finding';
import { identityCosts, tablesOf } from '@bemi-db/source/identity-cost';
import { inspect } from '@bemi-db/source/inspect';
import { plan } from '@bemi-db/source/plan';
import { type PlanStep, printableSql } from '@bemi-db/source/plan-step';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import type pg from 'pg';
import { CliError, configurationError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { print, printNote } from '../output/print.ts';
import { harmless } from '../presentation/harmless-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { findingsText } from '../status/status-text.ts';
import { carryOut } from './carry-out.ts';
import { identityCostText } from './identity-cost-text.ts';
import { nextCommand } from './next-command.ts';
import { parseTables } from './tables-argument.ts';
import { writeWorkerEnvironment } from './worker-environment.ts';
import { passwordOf } from './worker-url.ts';

/** The flags of `bemi setup`, as they are typed. */
export interface SetupFlags {
  readonly adminUrl?: string;
  readonly dryRun?: true;
  readonly tables?: string;
  readonly role?: string;
  readonly identity?: 'full' | 'default';
  readonly slot?: string;
  readonly publication?: string;
  readonly yes?: true;
}

/** What no statement cures without a restart or another server: said before anything is changed. */
const stoppingChecks = new Set(['version', 'primary', 'wal-level', 'free-slots']);

/**
 * Brings a source to where the worker can record it: looks, plans, asks, does it, looks again.
 *
 * @throws CliError with exit code 1 when something stays in the way, or the answer is no.
 */
export async function runSetup(flags: SetupFlags): Promise<void> {
  const configuration = loadConfiguration({
    flags: {
      BEMI_REPLICATION_SLOT: flags.slot === undefined ? undefined : { text: flags.slot, setWith: '--slot' },
      BEMI_PUBLICATION:
        flags.publication === undefined ? undefined : { text: flags.publication, setWith: '--publication' },
    },
  });
  const adminUrl = flags.adminUrl ?? configuration.databaseUrl;
  if (adminUrl === undefined) {
    throw configurationError(
      'No source database is named',
      'Name it as a superuser or its administrator: bemi setup --admin-url postgres://postgres:password@host:5432/database',
    );
  }
  const wanted = wantedOf(flags, configuration);
  const setWith = flags.adminUrl === undefined ? 'BEMI_DATABASE_URL' : '--admin-url';
  await withSourceDatabase(adminUrl, setWith, async ({ client, connection }) => {
    const before = await look(client, wanted);
    const stopping = check(before, wanted).filter(
      ({ id, verdict }) => verdict === 'failure' && stoppingChecks.has(id),
    );
    // Of an older server or a standby there is nothing to plan.
    if (stopping.some(({ id }) => id === 'version' || id === 'primary')) throw stopped(stopping);
    const steps = plan(before, wanted);
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
    if (steps.length === 0) {
      await print(`${style.colors.green('✓')} Nothing is missing: it is ready to be recorded.\n`);
    }
    const facts = {
      ...{ configuration, adminUrl: urlTextOf(adminUrl), wanted },
      admin: connection.target,
      isRoleNew: steps.some((step) => step.id === 'role create'),
    };
    let left: ApplyError | undefined;
    try {
      if (steps.length > 0) left = await carryOut(client, steps, flags.yes === true, costs(style));
    } catch (error) {
      // The password of a role that was made is known here alone.
      if (error instanceof ApplyError && facts.isRoleNew && (await look(client, wanted)).namedRole) {
        writeWorkerEnvironment(facts);
      }
      throw error;
    }

    const after = steps.length === 0 ? before : await look(client, wanted);
    const findings = check(after, wanted).filter(
      // With --identity default, that is what was asked for.
      ({ id, verdict }) => verdict !== 'ok' && !(id === 'identity-full' && wanted.identity === 'default'),
    );
    if (findings.length > 0) await print(`\n${findingsText(findings, style)}`);
    const written = writeWorkerEnvironment(facts);
    const failure = findings.find((finding) => finding.verdict === 'failure');
    if (failure) throw left ?? stopped([failure]);

    await print(`\n${nextCommand({ ...written, configuration, snapshot: after, wanted }, style)}`);
    if (left) throw left;
  });
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
    full.map(({ table }) => table),
  ).filter(({ kind }) => kind === 'table');
  const costs = await identityCosts(client, tables);
  return (style) => identityCostText(costs, tables.length, style);
}

function wantedOf(flags: SetupFlags, { slot, publication, databaseUrl }: Configuration): Wanted {
  return {
    slot,
    publication,
    tables: flags.tables === undefined ? 'all' : parseTables(flags.tables),
    ...(flags.identity === undefined ? {} : { identity: flags.identity }),
    ...(flags.role === undefined
      ? {}
      : { role: { name: flags.role, password: passwordFor(flags.role, databaseUrl) } }),
  };
}

/** A role that the worker is configured to use already keeps its password; another gets a random one. */
function passwordFor(role: string, databaseUrl: Configuration['databaseUrl']): string {
  const configured = databaseUrl && parseConnectionString(databaseUrl, 'BEMI_DATABASE_URL');
  const password =
    configured && configured.target.role === role ? passwordOf(urlTextOf(databaseUrl)) : undefined;
  return password ?? randomBytes(24).toString('base64url');
}

function look(client: pg.Client, { slot, publication, role }: Wanted): Promise<SourceSnapshot> {
  return inspect(client, { slot, publication, ...(role ? { role } : {}) });
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

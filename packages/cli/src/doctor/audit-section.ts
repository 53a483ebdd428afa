import { checkLink } from '@bemi-db/source/check-link';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import { inspectLink } from '@bemi-db/source/inspect-operation';
import { addressOf } from '@bemi-db/source/target-address';
import { tlsModeOf } from '@bemi-db/source/tls-mode';
import { countWaitingAccesses } from '@bemi-db/trail/access/read-accesses';
import { readAttestations } from '@bemi-db/trail/attestations/attestations';
import { readContextKeys } from '@bemi-db/trail/context-keys';
import { readSchema } from '@bemi-db/trail/migrate';
import { type ContextShare, contextShare } from '@bemi-db/trail/query/context-share';
import { logUpkeep } from '@bemi-db/trail/query/log-upkeep';
import { quarantineGroups } from '@bemi-db/trail/query/quarantine-summary';
import { type RecentRecording, recentRecording } from '@bemi-db/trail/query/recent-recording';
import { hasTrail, type SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { readRetentionPeriods } from '@bemi-db/trail/retention/retention-periods';
import type pg from 'pg';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { ageText } from '../presentation/moment-text.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { hasWitness, proofStatus } from '../status/proof-status.ts';
import { type AuditDatabase, readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { chooseSource } from '../trail-reading/choose-source.ts';
import { checkAccesses } from './check-accesses.ts';
import { lookAndCheckAccounts } from './check-accounts.ts';
import { checkAlerts } from './check-alerts.ts';
import { checkAttested } from './check-attested.ts';
import { checkCheckpointsOffHost } from './check-checkpoints-off-host.ts';
import { type ClockReading, readClock } from './check-clocks.ts';
import { checkContextKeys } from './check-context-keys.ts';
import { checkContextMembers } from './check-context-members.ts';
import { checkContextShare } from './check-context-share.ts';
import { checkAuditRole, checkCheckpointAge, checkPartitions, checkQuarantine } from './check-log-upkeep.ts';
import { checkRetentionPeriod } from './check-retention-period.ts';
import { type DoctorSection, notConfigured, section, unreachable } from './doctor-section.ts';

const side = { id: 'audit', title: 'Audit database' } as const;

export interface AuditChoice {
  readonly isEmbedded: boolean;
  readonly source: string | undefined;
  /** How many of the newest entries are looked at. */
  readonly newestEntries: number;
  /** Of a table's changes, how many percent may have no context. */
  readonly maximumWithout: number;
  /** What contexts should have, such as `userId`. */
  readonly contextMembers: readonly string[];
}

/** What of a log is known, where there is one. */
export interface LogFacts {
  readonly log: number;
  readonly contextShare: ContextShare;
  readonly recent: RecentRecording;
}

export interface AuditSection extends DoctorSection {
  readonly facts: LogFacts | undefined;
  readonly clock: ClockReading | undefined;
}

/** Everything that doctor checks in the audit database. */
export async function auditSection(configuration: Configuration, choice: AuditChoice): Promise<AuditSection> {
  const { isEmbedded } = choice;
  if (!isEmbedded && configuration.destinationUrl === undefined && !hasEmbedded(bemiFolder())) {
    const advice =
      'Set BEMI_DESTINATION_URL=postgres://role:password@host:5432/database, or run it where the worker runs.';
    const nothing = notConfigured(side, 'BEMI_DESTINATION_URL is not set', advice);
    return { ...nothing, facts: undefined, clock: undefined };
  }
  try {
    return await readingAuditDatabase({ configuration, isEmbedded }, async (database) => {
      const { client, name } = database;
      const clock = await readClock(client);
      const schema = await checkSchema(client);
      const summary = await chooseSource(client, configuration, choice.source);
      const facts = summary && (await logFacts(client, summary, choice));
      const findings = [
        ok('audit-connection', 'It can be reached', await versionText(client)),
        ...schema,
        await checkAuditLink(database),
        await lookAndCheckAccounts(client, configuration),
        ...(summary && facts
          ? await checkLog(client, summary, facts, configuration, {
              ...choice,
              where: addressIn(database, configuration, choice),
            })
          : nothingRecorded(configuration)),
      ];
      return { ...section(side, name, findings), facts, clock };
    });
  } catch (error) {
    return { ...unreachable(side, error), facts: undefined, clock: undefined };
  }
}

/** Where the audit database is; `undefined` of the embedded one. */
function addressIn(
  { url }: AuditDatabase,
  { destinationUrl }: Configuration,
  { isEmbedded }: AuditChoice,
): string | undefined {
  if (isEmbedded || destinationUrl === undefined) return undefined;
  return addressOf(parseConnectionString(url, 'BEMI_DESTINATION_URL').target);
}

async function checkAuditLink({ client, url }: AuditDatabase): Promise<Finding> {
  const connection = parseConnectionString(url, 'BEMI_DESTINATION_URL');
  const { setting, host } = connection.target;
  return checkLink({
    id: 'audit-link',
    setting,
    host,
    mode: tlsModeOf(connection),
    link: await inspectLink(client),
  });
}

async function logFacts(
  client: pg.ClientBase,
  { log }: SourceSummary,
  { newestEntries, contextMembers }: AuditChoice,
): Promise<LogFacts> {
  return {
    log,
    contextShare: await contextShare(client, log, newestEntries),
    recent: await recentRecording(client, log, newestEntries, contextMembers),
  };
}

function nothingRecorded(configuration: Configuration): readonly Finding[] {
  return [
    unknown('log', 'Nothing is recorded yet', 'no worker has used it', 'Start one: bemi worker'),
    checkRetentionPeriod(undefined, configuration.retentionDays),
    checkAlerts(configuration, []),
  ];
}

async function checkLog(
  client: pg.ClientBase,
  { log, name, entryCount, lastCommitAt }: SourceSummary,
  { contextShare: share, recent }: LogFacts,
  configuration: Configuration,
  { maximumWithout, where }: AuditChoice & { readonly where: string | undefined },
): Promise<readonly Finding[]> {
  const last =
    lastCommitAt === undefined ? 'no change yet' : `last change ${ageText(lastCommitAt, new Date())}`;
  const upkeep = await logUpkeep(client, log);
  const attested = await readAttestations(client, log, 'newest');
  const periods = await readRetentionPeriods(client, log);
  const published = (await proofStatus(client, log, configuration))?.published ?? [];
  return [
    ok('log', `It has the log of ${name}`, `${countedText(entryCount, 'entry', 'entries')}, ${last}`),
    checkContextShare(share, maximumWithout),
    checkContextMembers(recent),
    checkRetentionPeriod(periods.at(Date.now()), configuration.retentionDays),
    checkAlerts(configuration, attested),
    checkAttested('disaster-recovery-plan', attested),
    checkAttested('backup', attested),
    checkAttested('encryption-at-rest', attested),
    checkAttested('network-isolation', attested),
    checkAuditRole(upkeep, where),
    checkPartitions(upkeep),
    checkAccesses(await countWaitingAccesses(client), new Date()),
    checkQuarantine(upkeep, await quarantineGroups(client, log), attested),
    checkCheckpointAge(upkeep),
    checkCheckpointsOffHost(published, hasWitness(configuration), attested),
    checkContextKeys(await contextKeys(client, log), configuration.encryptionKey !== undefined),
  ];
}

/** None in an audit database of an older version, which the worker has not brought up to date yet. */
async function contextKeys(client: pg.ClientBase, log: number): ReturnType<typeof readContextKeys> {
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('bemi.context_keys') IS NOT NULL AS exists`,
  );
  return rows[0]?.exists ? await readContextKeys(client, log) : [];
}

async function versionText(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `SELECT current_setting('server_version') AS version`,
  );
  return `PostgreSQL ${rows[0]!.version}`;
}

async function checkSchema(client: pg.ClientBase): Promise<readonly Finding[]> {
  if (!(await hasTrail(client))) return [];
  const { pending } = await readSchema(client);
  if (pending.length === 0)
    return [ok('audit-schema', 'Its schema is that of this version', 'all migrations are applied')];
  return [
    problem(
      'warning',
      'audit-schema',
      'Its schema is older than this program',
      `it lacks ${pending.map(({ name }) => name).join(', ')}`,
      'The worker brings it up to date when it starts, where its role may; else: bemi setup --destination',
    ),
  ];
}

import { countWaitingAccesses, type WaitingAccesses } from '@bemi-db/trail/access/read-accesses';
import { type ContextKey, readContextKeys } from '@bemi-db/trail/context-keys';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { type QuarantineGroup, quarantineGroups } from '@bemi-db/trail/query/quarantine-summary';
import { hasTrail, type SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { type RecordedRules, rulesInForce } from '@bemi-db/trail/rules/recorded-rules';
import type pg from 'pg';
import { configurationError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import { type Configuration, loadConfiguration, requireSource } from '../configuration/configuration.ts';
import { type Subject, subjects } from '../connecting/meant-source.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { explainError } from '../output/explain-error.ts';
import { print, printNote } from '../output/print.ts';
import { errorText } from '../output/print-error.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { chooseSource } from '../trail-reading/choose-source.ts';
import { type ProofStatus, proofStatus } from './proof-status.ts';
import { type SourceStatus, sourceStatus } from './source-status.ts';
import { statusText } from './status-text.ts';
import { watchStatus } from './watch-status.ts';
import { type WorkerStatus, workersOf } from './worker-status.ts';

/** The flags of `bemi status`. */
export interface StatusFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
  /** Again and again, until it is interrupted. */
  readonly watch?: true;
}

/** What is known of the audit database. */
export interface TrailStatus {
  readonly database: string;
  readonly summary: SourceSummary | undefined;
  readonly proof: ProofStatus | undefined;
  /** Processes that record the log or wait to take over, as they say themselves. */
  readonly workers: readonly WorkerStatus[];
  /** What is in quarantine, by table and reason. */
  readonly quarantine: readonly QuarantineGroup[];
  /** By which contexts are authentic. */
  readonly contextKeys: readonly ContextKey[];
  /** Whether BEMI_ENCRYPTION_KEY is set, without which a worker can't open them. */
  readonly hasEncryptionKey: boolean;
  /** Of the log of accesses. */
  readonly waitingAccesses: WaitingAccesses;
  /** What is recorded and redacted; `undefined` where no rules were ever set. */
  readonly rules: RecordedRules | undefined;
}

/** Both sides at one moment, each as far as it can be reached: what one says matters most when the other is down. */
export interface StatusReport {
  readonly source: SourceStatus | undefined;
  readonly trail: TrailStatus | undefined;
  /** Why a side could not be reached. */
  readonly errors: readonly unknown[];
  readonly hasSource: boolean;
  readonly hasDestination: boolean;
}

/** Shows both sides, once or again and again. */
export async function runStatus(flags: StatusFlags): Promise<void> {
  const configuration = loadConfiguration({ source: flags.source });
  const isEmbedded = flags.embedded === true;
  const choice = { source: flags.source, isEmbedded };
  if (flags.watch) {
    if (flags.source === undefined && configuration.sources.length > 1) requireSource(configuration);
    const [subject] = await subjects(configuration, choice);
    await watchStatus(() => readStatus(subject!, isEmbedded), { json: flags.json === true, configuration });
    return;
  }
  const reports = await Promise.all(
    (await subjects(configuration, choice)).map(
      async (subject) => [subject.name ?? '', await readStatus(subject, isEmbedded)] as const,
    ),
  );
  if (flags.json) {
    const [only] = reports;
    const json =
      reports.length === 1
        ? statusJson(only![1])
        : { sources: Object.fromEntries(reports.map(([name, report]) => [name, statusJson(report)])) };
    await print(`${JSON.stringify(json)}\n`);
  } else {
    for (const [i, [name, report]] of reports.entries()) {
      const { colors } = textStyle(process.stdout);
      const title = `${i === 0 ? '' : '\n'}${colors.bold(`── ${harmless(name)}`)}\n`;
      await print((reports.length === 1 ? '' : title) + statusText(report, configuration));
      for (const error of report.errors) {
        printNote(errorText(error, false, false, textStyle(process.stderr)));
      }
    }
  }
  const errors = reports.flatMap(([, report]) => report.errors);
  const hasFailure = reports.some(([, { source }]) =>
    source?.findings.some((finding) => finding.verdict === 'failure'),
  );
  if (errors.length > 0 || hasFailure) {
    process.exitCode = errors.some((error) => explainError(error).exitCode === 2) ? 2 : 1;
  }
}

async function readStatus(
  { configuration, source: named, problem }: Subject,
  isEmbedded: boolean,
): Promise<StatusReport> {
  const { databaseUrl, destinationUrl } = configuration;
  const hasDestination = destinationUrl !== undefined || isEmbedded || hasEmbedded(bemiFolder());
  if (databaseUrl === undefined && !hasDestination) {
    throw configurationError(
      'Neither a source nor an audit database is configured',
      'Set BEMI_DATABASE_URL and BEMI_DESTINATION_URL, or prepare a source by: bemi setup --admin-url URL',
    );
  }
  const errors: unknown[] = [];
  if (problem !== undefined) errors.push(problem);
  const settled = async <T>(work: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      errors.push(error);
      return undefined;
    }
  };
  const [source, trail] = await Promise.all([
    settled(databaseUrl === undefined ? undefined : sourceStatus(databaseUrl, configuration)),
    settled(hasDestination ? trailStatus(configuration, isEmbedded, named) : undefined),
  ]);
  const hasSource = databaseUrl !== undefined || problem !== undefined;
  return { source, trail, errors, hasSource, hasDestination };
}

async function trailStatus(
  configuration: Configuration,
  isEmbedded: boolean,
  named: string | undefined,
): Promise<TrailStatus> {
  return await readingAuditDatabase({ configuration, isEmbedded }, async ({ client, name }) => {
    const summary = await chooseSource(client, configuration, named);
    return {
      database: name,
      summary,
      proof: summary && (await proofStatus(client, summary.log, configuration)),
      workers: summary ? await workersOf(client, summary.name) : [],
      quarantine: summary ? await quarantineGroups(client, summary.log) : [],
      contextKeys: summary ? await contextKeys(client, summary.log) : [],
      hasEncryptionKey: configuration.encryptionKey !== undefined,
      waitingAccesses: (await hasTrail(client))
        ? await countWaitingAccesses(client)
        : { count: 0, since: undefined },
      rules: summary && (await rulesInForce(client, summary.log)),
    };
  });
}

/** None in an audit database of an older version, which the worker has not brought up to date yet. */
async function contextKeys(client: pg.ClientBase, log: number): Promise<ContextKey[]> {
  const { rows } = await client.query<{ exists: boolean }>(
    `SELECT to_regclass('bemi.context_keys') IS NOT NULL AS exists`,
  );
  return rows[0]?.exists ? await readContextKeys(client, log) : [];
}

/** What programs read. */
export function statusJson({ source, trail, errors }: StatusReport): object {
  return {
    source: source ?? null,
    audit: trail
      ? {
          connection: trail.database,
          log: trail.summary ?? null,
          proof: trail.proof ?? null,
          workers: trail.workers,
          quarantine: trail.quarantine,
          contextKeys: trail.contextKeys,
          hasEncryptionKey: trail.hasEncryptionKey,
          rules: trail.rules ?? null,
          waitingAccesses: trail.waitingAccesses,
        }
      : null,
    errors: errors.map((error) => {
      const { code, message, fix } = explainError(error);
      return { code, message, fix };
    }),
  };
}

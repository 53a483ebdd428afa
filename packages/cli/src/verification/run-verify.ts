import { join } from 'node:path';
import type pg from 'pg';
import { usageError } from '../cli-error.ts';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { print, printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { type AuditDatabase, readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { type ChosenLog, chooseLog, type LogChoice } from '../trail-reading/choose-log.ts';
import { nothingRecorded } from '../trail-reading/nothing-recorded.ts';
import { givenCheckpoints, type KeptCheckpoint, type LogName, ownCheckpoints } from './kept-checkpoints.ts';
import { forgetProgress, subjectOf } from './kept-progress.ts';
import { givenKeys, ownKey } from './known-keys.ts';
import { ProgressKeeper } from './progress-keeper.ts';
import { openReadingThreads } from './reading-threads.ts';
import {
  evidenceToResume,
  progressToResume,
  type ResumptionFlags,
  saveIntervalMs,
  whenInterrupted,
} from './resumption.ts';
import { type Evidence, originOf, type Verification, verifyLog } from './verification.ts';
import { verificationJson } from './verification-json.ts';
import { verificationText } from './verification-text.ts';
import { verifyProgress } from './verify-progress.ts';

/** The flags of `bemi verify`. */
export interface VerifyFlags extends ResumptionFlags, LogChoice {
  readonly checkpoint?: readonly string[];
  readonly key?: readonly string[];
  readonly json?: true;
  readonly report?: string;
  readonly fromPublished?: string;
  readonly parallel?: string;
  readonly embedded?: true;
}

/** Verifies a log, and says what is proven. Exit code 1: it is not what was recorded. */
export async function runVerify(flags: VerifyFlags): Promise<void> {
  const configuration = loadConfiguration();
  if (flags.fromPublished !== undefined) {
    const { runVerifyPublished } = await import('./run-verify-published.ts');
    return await runVerifyPublished(flags.fromPublished, flags);
  }
  await readingAuditDatabase(
    { configuration, isEmbedded: flags.embedded === true },
    async ({ client, name, url }) => {
      const log = await chooseLog(client, configuration, flags);
      if (!log) {
        const style = textStyle(flags.json ? process.stderr : process.stdout);
        throw usageError(
          nothingRecorded(name, undefined, style, invocation()).split('\n')[0]!,
          'There is nothing to verify: start a worker first.',
        );
      }
      const verification = await verifyWithProgress(client, url, log, configuration, flags);
      if (flags.report !== undefined) {
        const { writeReport } = await import('./write-report.ts');
        await writeReport(verification, flags.report, configuration);
      }
      if (flags.json) await print(`${JSON.stringify(verificationJson(verification))}\n`);
      else await print(verificationText(verification, textStyle(process.stdout)));
      if (verification.findings.length > 0) process.exitCode = 1;
    },
  );
}

async function verifyWithProgress(
  client: pg.ClientBase,
  url: AuditDatabase['url'],
  log: ChosenLog,
  configuration: Configuration,
  flags: VerifyFlags,
): Promise<Verification> {
  const origin = await originOf(client, log.log);
  const gathered = await gatherEvidence({ ...log, origin }, configuration, flags);
  const intervalMs = saveIntervalMs(flags.saveEvery);
  const subject = await subjectOf(client, log.log, {
    keys:
      flags.key === undefined
        ? []
        : gathered.keys.map(({ key }) => Buffer.from(key.publicKey).toString('hex')),
    checkpoints: flags.checkpoint ?? [],
  });
  const file = flags.progress ?? join(stateDirectoryOf(configuration), `verifying-${subject.logId}.json`);
  const from = progressToResume(file, subject, flags);
  const evidence = from === undefined ? gathered : evidenceToResume(gathered, from);
  const { checkpoints } = evidence;
  const begun = { subject, parts: from?.parts ?? [], checkpoints: checkpoints.map(toKeep) };
  const keeper = new ProgressKeeper(file, begun, from?.paused.at ?? 0, intervalMs);
  const threads = openReadingThreads(url, log.log, threadCount(flags.parallel));
  const progress = verifyProgress(process.stderr, log.name);
  const sayInterrupted = (): void => {
    progress.end();
    if (keeper.keptAt !== undefined)
      printNote(
        `Interrupted: ${invocation()} verify --resume goes on at entry ${countText(keeper.keptAt)}.\n`,
      );
  };
  const stopNoting = whenInterrupted(sayInterrupted);
  try {
    const { readers } = threads;
    const { update: onProgress } = progress;
    const options = { client, log, origin, evidence, readers, onProgress, from, onPause: keeper.offer };
    const verification = await verifyLog(options);
    forgetProgress(file);
    return verification;
  } catch (error) {
    sayInterrupted();
    throw error;
  } finally {
    stopNoting();
    progress.end();
    if (keeper.problem !== undefined)
      printNote(`Progress could not be kept in ${file} (${keeper.problem}).\n`);
    await threads.close();
  }
}

function toKeep({ where, text }: KeptCheckpoint): { where: string; text: string } {
  return { where, text };
}

/**
 * How many threads read. None by default: on two cores, one of which the server keeps busy, they gained nothing (1.8 million
 * entries: 5.7 s without, 5.4 to 6.3 s with one, 6.0 to 7.8 s with two).
 */
function threadCount(asked: string | undefined): number {
  if (asked === undefined) return 0;
  if (/^\d{1,2}$/.test(asked)) return Number(asked);
  throw usageError(`--parallel ${JSON.stringify(asked)} is no number of threads`, 'Give 0 to 99.');
}

/** Where the worker of this project keeps its key and its memory. */
export function stateDirectoryOf(configuration: Configuration): string {
  return configuration.stateDirectory ?? bemiFolder().path;
}

/** What is known of a log from outside of the audit database: what was given, and what its worker keeps here. */
export async function gatherEvidence(
  log: LogName,
  configuration: Configuration,
  given: Pick<VerifyFlags, 'checkpoint' | 'key'>,
): Promise<Evidence> {
  const stateDirectory = stateDirectoryOf(configuration);
  const own = await ownCheckpoints(log, configuration, stateDirectory);
  const checkpoints: KeptCheckpoint[] = [...own.kept];
  for (const place of given.checkpoint ?? []) checkpoints.push(...(await givenCheckpoints(place, log)));
  const ofFlags = (given.key ?? []).flatMap((key) => givenKeys(key, log.origin));
  const ofWorker =
    ofFlags.length === 0 ? ownKey(stateDirectory, configuration.signingKey, log.origin) : undefined;
  return {
    keys: ofWorker ? [ofWorker] : ofFlags,
    checkpoints: unique(checkpoints),
    unread: own.unread,
    tileFolders: [join(stateDirectory, 'checkpoints'), ...(given.checkpoint ?? [])],
  };
}

/** The same checkpoint is kept in several places: one is enough. What was given comes first. */
function unique(checkpoints: readonly KeptCheckpoint[]): KeptCheckpoint[] {
  const byText = new Map<string, KeptCheckpoint>();
  for (const kept of checkpoints) byText.set(kept.text, kept);
  return [...byText.values()];
}

import { setTimeout as delay } from 'node:timers/promises';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import { findLogLockHolder } from '@bemi-db/trail/log-lock';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';
import { invocation } from '../output/invocation.ts';
import { printNote } from '../output/print.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';

const pollMs = 150;
const clearLine = '\r\u001b[2K';
const sqlStateInsufficientPrivilege = '42501';

export interface WorkerRequest {
  readonly client: pg.Client;
  readonly source: SourceSummary;
  readonly kind: 'erasure' | 'hold' | 'retention' | 'config' | 'attestation';
  /** One request each: all are made, or none. */
  readonly payloads: readonly object[];
  readonly waitSeconds: number;
  /** Runs in the transaction that makes the requests. */
  readonly beforeRequests?: () => Promise<void>;
  /** What to do where the worker refuses. */
  readonly refusalFix?: string;
}

/** `--wait SECONDS`. */
export function parseWait(text: string | undefined): number {
  if (text === undefined) return 60;
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw usageError(
    `--wait ${JSON.stringify(text)} is not a number of seconds`,
    'Write a whole number, such as 60.',
  );
}

/**
 * Asks the worker, which alone may write to the log, and waits until it has done what was asked.
 *
 * @returns the sequences of the events that say so.
 * @throws CliError where the worker refuses, or doesn't answer in time: the request then waits for it.
 */
export async function askWorker(asked: WorkerRequest): Promise<string[]> {
  const { client, source, payloads, waitSeconds, refusalFix } = asked;
  const ids = await makeRequests(asked);
  const sequences: string[] = [];
  const deadlineMs = performance.now() + waitSeconds * 1_000;
  let isMissingNoted = false;
  try {
    for (const id of ids) {
      for (;;) {
        const answer = await requestAnswer(client, id);
        if (answer && 'refusal' in answer)
          throw refused(answer.refusal, refusalFix, sequences.length, payloads.length);
        if (answer) {
          sequences.push(answer.sequence);
          break;
        }
        showProgress(
          `Waiting for the worker: ${countText(sequences.length)} of ${countText(ids.length)} done`,
        );
        if (!isMissingNoted && !(await findLogLockHolder(client, source.name))) {
          isMissingNoted = true;
          printNote(
            `No worker is recording ${source.name}: start it by ${invocation()} worker. The request waits for it.\n`,
          );
        }
        if (performance.now() >= deadlineMs) throw unanswered(source, ids.length - sequences.length);
        await delay(pollMs);
      }
    }
  } finally {
    showProgress('');
  }
  return sequences;
}

async function makeRequests({
  client,
  source,
  kind,
  payloads,
  beforeRequests,
}: WorkerRequest): Promise<string[]> {
  const ids: string[] = [];
  await client.query('BEGIN READ WRITE');
  try {
    await beforeRequests?.();
    for (const payload of payloads) ids.push(await request(client, source.log, kind, payload));
    await client.query('COMMIT');
    return ids;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    if (!(error instanceof pg.DatabaseError) || error.code !== sqlStateInsufficientPrivilege) throw error;
    throw new CliError(
      1,
      'privilege',
      'This role may read the trail, and may not ask the worker for anything (SQLSTATE 42501)',
      "Use the worker's BEMI_DESTINATION_URL, or run as the owner of the audit database:\n" +
        `GRANT INSERT ON bemi.inbox TO ${pg.escapeIdentifier(client.user ?? 'role')};`,
      { cause: error },
    );
  }
}

function refused(refusal: string, fix: string | undefined, done: number, count: number): CliError {
  const before = done === 0 ? '' : ` (${done} of ${count} requests were done before)`;
  const isHeld = refusal.startsWith('the hold ');
  return new CliError(
    1,
    isHeld ? 'held' : 'refused',
    `The worker refuses: ${refusal}${before}`,
    isHeld
      ? `See ${invocation()} hold list; whoever placed the hold may release it.`
      : (fix ?? 'Look at what is recorded now, and ask again.'),
  );
}

function unanswered(source: SourceSummary, left: number): CliError {
  return new CliError(
    1,
    'no-answer',
    `No worker has answered in time; ${countedText(left, 'request')} ${left === 1 ? 'waits' : 'wait'} for it`,
    `Start the worker of ${source.name}: ${invocation()} worker\nIt does what was asked as soon as it runs; asking again is not needed.`,
  );
}

/** On a terminal, in one line of stderr. */
function showProgress(text: string): void {
  if (process.stderr.isTTY && process.env['TERM'] !== 'dumb') process.stderr.write(`${clearLine}${text}`);
}

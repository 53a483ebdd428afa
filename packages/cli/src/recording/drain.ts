import type { AccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { ProblemError } from '@bemi-db/worker/problem';
import type { Logger } from 'pino';
import { CliError } from '../cli-error.ts';
import { explainError } from '../output/explain-error.ts';
import type { AddedPipelines } from './added-pipelines.ts';
import { type IndexDrainedOptions, indexDrained } from './index-drained.ts';
import type { Pipeline } from './pipeline.ts';

export interface DrainOptions {
  /** Of the sources that the configuration names. */
  readonly configured: readonly Pipeline[];
  readonly added: Pick<AddedPipelines, 'make'>;
  readonly accesses: Pick<AccessRecorder, 'run' | 'problem'>;
  readonly destination: IndexDrainedOptions['destination'];
  /** Whether what was drained is put into the index that searches use. */
  readonly isIndexing: boolean;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** So many of them are told what to do in the end; of each it was said when it failed. */
const mostFixes = 5;

/** What could not be drained, and why. */
interface Left {
  readonly what: string;
  readonly error: unknown;
}

/**
 * Records all sources, and the log of accesses, up to where they are now: each of them, whatever becomes of the others.
 *
 * @throws when anything is left: who drains and sees exit code 0 may, for one, drop the slot.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { configured, added, accesses, signal, logger } = options;
  const making = added.make(signal);
  const one = making.then(
    ({ pipelines, refused, unread }) =>
      configured.length + pipelines.length + refused.length === 1 && unread === undefined,
  );
  const [made, ofAccesses, ofConfigured, ofAdded] = await Promise.all([
    making,
    drainAccesses(accesses, signal),
    Promise.all(configured.map((each) => drainOne(each, signal, one))),
    making.then(({ pipelines }) => Promise.all(pipelines.map((each) => drainOne(each, signal, one)))),
  ]);
  const isOne = await one;
  const left: Left[] = [
    ...ofConfigured,
    ...ofAdded,
    ...made.refused.map(({ name, error }) => ({ what: name, error })),
    ...(made.unread === undefined ? [] : [{ what: 'the sources that were added', error: made.unread }]),
  ].flatMap((each) => each ?? []);
  // What keeps a source from being recorded too is said there.
  const codes = left.map(({ error }) => explainError(error).code);
  if (ofAccesses && !codes.includes(explainError(ofAccesses.error).code)) {
    const { code, message, fix } = explainError(ofAccesses.error);
    logger.error({ code, fix }, `Not drained: ${ofAccesses.what}. ${message}`);
    left.push(ofAccesses);
  }
  const wasStopped = signal.aborted;
  if (options.isIndexing && !wasStopped) {
    const all = [...configured, ...made.pipelines];
    const drained = all.filter(({ name }) => !left.some(({ what }) => what === name));
    await indexDrained(drained, { destination: options.destination, signal, logger });
  }
  const [first] = left;
  if (first) throw isOne && left.length === 1 && first !== ofAccesses ? first.error : notDrained(left);
  if (wasStopped) {
    throw new CliError(
      1,
      'not-drained',
      'It was stopped before everything was recorded',
      'Run bemi worker --drain again: it goes on where this one has stopped.',
    );
  }
}

/** @param isOne - whether there are no others: then the command says why it failed. */
async function drainOne(
  { name, worker, logger }: Pipeline,
  signal: AbortSignal,
  isOne: Promise<boolean>,
): Promise<Left | undefined> {
  try {
    await worker.run({ signal, drain: true });
  } catch (error) {
    if (!(await isOne)) {
      const { code, message, fix } = explainError(error);
      logger.error({ code, fix }, message);
    }
    return { what: name, error };
  }
  const { changes, transactions, quarantined } = worker.status();
  const message = signal.aborted ? 'Stopped before the end' : 'Drained';
  logger.info({ changes, transactions, quarantined }, message);
  return undefined;
}

async function drainAccesses(
  accesses: DrainOptions['accesses'],
  signal: AbortSignal,
): Promise<Left | undefined> {
  if (await accesses.run({ signal, drain: true })) return undefined;
  const problem = accesses.problem();
  if (!problem) throw new TypeError('Accesses were not recorded, and nobody knows why');
  return { what: 'the log of accesses', error: new ProblemError(problem) };
}

function notDrained(left: readonly Left[]): CliError {
  const explained = left.map(({ what, error }) => ({ what, ...explainError(error) }));
  const names = left.map(({ what }) => what).join(', ');
  const [first] = explained;
  const isOne = explained.length === 1;
  const more = explained.length - mostFixes;
  const fixes = explained.slice(0, mostFixes).map(({ what, fix }) => `${what}: ${fix}`);
  return new CliError(
    explained.every(({ exitCode }) => exitCode === 2) ? 2 : 1,
    'not-drained',
    `Not drained: ${names}${isOne ? `. ${first!.message}` : ''}`,
    isOne ? first!.fix : [...fixes, ...(more > 0 ? [`Of ${more} more it was said above.`] : [])].join('\n'),
    { cause: left[0]!.error },
  );
}

import { ApplyError } from '@bemi-db/source/apply-error';
import { applyPlan } from '@bemi-db/source/apply-plan';
import { check } from '@bemi-db/source/check';
import { workerSteps } from '@bemi-db/source/new-source';
import { PlanError } from '@bemi-db/source/plan-step';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import type pg from 'pg';
import type { Logger } from './logger.ts';
import { ProblemError } from './problem.ts';

/** configuration_limit_exceeded: all replication slots are in use. */
const tooMuchConfigured = '53400';

/**
 * Makes what an empty log's source lacks: publication, then slot (what is written after a slot and before its
 * publication can never be decoded). Before the publication, tables that could not be updated any more once they
 * are published get an identity: the application must never fail because of us. All else is left to `bemi setup`.
 *
 * @returns whether anything was made.
 */
export async function prepareSource(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  wanted: Wanted,
  logger: Logger,
): Promise<boolean> {
  const steps = workerSteps(snapshot, wanted);
  await applyPlan(client, steps, {
    onProgress: ({ step, state }) => {
      if (state === 'done') logger.info({ step: step.id, sql: step.sql }, step.title);
    },
  });
  return steps.length > 0;
}

/**
 * As {@link prepareSource}. Not every role may: then what is missing is said, with how to make it.
 *
 * @throws ProblemError
 */
export async function makeWhatIsMissing(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  wanted: Wanted,
  logger: Logger,
): Promise<boolean> {
  try {
    return await prepareSource(client, snapshot, wanted, logger);
  } catch (error) {
    if (!(error instanceof ApplyError || error instanceof PlanError)) throw error;
    const failures = check(snapshot, wanted).filter(({ verdict }) => verdict === 'failure');
    const found = (...ids: readonly string[]) => failures.find(({ id }) => ids.includes(id));
    const missing =
      (error.code === tooMuchConfigured ? found('free-slots') : undefined) ?? found('publication', 'slot');
    throw new ProblemError(
      {
        code: missing?.id ?? error.code ?? 'setup',
        message: `${missing?.title ?? 'The source is not prepared'}, and the worker could not make it: ${error.message}`,
        fix: missing?.fix || error.fix,
        kind: 'retry',
      },
      error,
    );
  }
}

import { eachWithContext, type MadeContext } from './request-context.ts';

/**
 * Makes of a handler one that works on each job in a scope of its own, with the context that the function makes of
 * the job: for queues, timers, workers and web sockets.
 *
 * @param contextOf - is given what the handler is given. If it throws, the job is done all the same, and its stored
 *   context says so.
 * @returns a handler for the same arguments. It returns what the handler returns, and throws what it throws.
 *
 * @example
 * new Worker(
 *   'reminders',
 *   withJobContext(
 *     (job: Job) => ({ userId: job.data.userId, job: job.name, jobId: job.id }),
 *     async (job: Job) => await remind(job.data.patientId),
 *   ),
 * );
 */
export function withJobContext<Args extends unknown[], Result>(
  contextOf: (...args: Args) => MadeContext,
  handler: (...args: Args) => Result,
): (...args: Args) => Promise<Awaited<Result>> {
  return eachWithContext(handler, contextOf);
}

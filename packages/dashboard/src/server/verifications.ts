import type { VerifiedPart } from '@bemi-db/trail/verify/verify-log';
import type { Verification, VerificationReport } from '../api/integrity.ts';

/**
 * Verifies a log, wherever that doesn't hold up requests: a process of its own.
 *
 * @param name - of the log.
 */
export type VerifyLog = (
  name: string,
  options: {
    readonly onProgress: (done: number, total: number, part: VerifiedPart) => void;
    readonly signal: AbortSignal;
  },
) => Promise<VerificationReport>;

/** The verifications that people have started: one at a time for each log, and the last result of each. */
export interface Verifications {
  readonly canStart: boolean;
  last(log: string): Verification | undefined;
  /** Starts one, or gives the one that runs. */
  start(log: string, by: string): Verification;
  /** Ends those that run. */
  stop(): void;
}

export function createVerifications(verify: VerifyLog | undefined): Verifications {
  const byLog = new Map<string, Verification>();
  const ending = new AbortController();
  return {
    canStart: verify !== undefined,
    last: (log) => byLog.get(log),
    start(log, by) {
      const running = byLog.get(log);
      if (running?.state === 'running') return running;
      if (!verify) throw new TypeError('This server can not verify');
      const begun: Verification = {
        ...{ state: 'running', startedAt: new Date().toISOString(), startedBy: by, endedAt: null },
        ...{ part: 'entries', done: 0, total: 0, problem: null, report: null },
      };
      byLog.set(log, begun);
      const onProgress = (done: number, total: number, part: VerifiedPart): void => {
        byLog.set(log, { ...byLog.get(log)!, part, done, total });
      };
      const end = (result: Partial<Verification>): void => {
        byLog.set(log, { ...byLog.get(log)!, endedAt: new Date().toISOString(), ...result });
      };
      verify(log, { onProgress, signal: ending.signal }).then(
        (report) => end({ state: 'done', report, done: report.size, total: report.size }),
        (error: unknown) =>
          end({ state: 'failed', problem: error instanceof Error ? error.message : String(error) }),
      );
      return begun;
    },
    stop: () => ending.abort(),
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { endLogLockHolder, findLogLockHolder, type LogLockHolder, tryLockLog } from '@bemi-db/trail/log-lock';
import type pg from 'pg';
import { type LivenessTimings, sightingOf } from './connection-liveness.ts';
import type { OpenConnection } from './connections.ts';
import type { Logger } from './logger.ts';
import type { Problem } from './problem.ts';

export interface LockLogOptions {
  /** Of the log. */
  readonly name: string;
  readonly liveness: LivenessTimings;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Another worker has it. Throws to give up. */
  readonly onWaiting: (problem: Problem) => void;
}

const pollMs = 1_000;

/**
 * One worker writes a log at a time; others wait here and take over.
 *
 * A server may keep the session, and with it the lock, of a worker that is gone: a proxy in between has not noticed, or
 * the process hangs. A worker shows that it is there (`showLife`), so one that has not, for long, is ended here. If it
 * is there all the same, its writing fails as when its connection breaks, and it waits in its turn.
 */
export async function lockLog(writer: OpenConnection, options: LockLogOptions): Promise<void> {
  const { name, liveness, logger, signal, onWaiting } = options;
  let seen: LogLockHolder | undefined;
  let seenAtMs = 0;
  while (!(await tryLockLog(writer.client, name))) {
    onWaiting({
      code: 'log-in-use',
      message: `Another worker records the log ${name}`,
      fix: 'Nothing to do: this one takes over when the other ends.',
      kind: 'retry',
    });
    const holder = await findLogLockHolder(writer.client, name);
    const nowMs = performance.now();
    if (!holder || holder.lastActivity !== seen?.lastActivity || sightingOf(holder) === 'working') {
      seen = holder;
      seenAtMs = nowMs;
    } else if (nowMs - seenAtMs >= liveness.replaceAfterMs) {
      seenAtMs = nowMs;
      if (await endLogLockHolder(writer.client, name, holder)) {
        logger.info({ pid: holder.pid }, 'Ended the session of a worker that held the log in silence');
        continue;
      }
    }
    await Promise.race([delay(pollMs, undefined, { signal }), writer.lost]);
  }
}

/** Shows those who wait for the log that this worker is there, until it is stopped. Nothing else may use the client's wire. */
export function showLife(client: pg.Client, { askAfterMs }: LivenessTimings): () => void {
  let isAnswered = true;
  const done = (): void => {
    isAnswered = true;
  };
  const timer = setInterval(() => {
    if (!isAnswered) return;
    isAnswered = false;
    client.query('SELECT 1').then(done, done);
  }, askAfterMs);
  timer.unref();
  return () => clearInterval(timer);
}

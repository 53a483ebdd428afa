import type { Logger } from '@bemi-db/worker/logger';

/** One press of Ctrl-C reaches us twice under `npm run` and `npx`: from the terminal, and passed on by npm. */
const echoMs = 300;

/**
 * The first signal stops in order, the second ends the process.
 *
 * @returns stops listening.
 */
export function abortOnSignals(abort: AbortController, logger: Logger): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const;
  let firstAtMs = 0;
  const onSignal = (signal: string): void => {
    if (abort.signal.aborted) {
      if (performance.now() - firstAtMs > echoMs) process.exit(1);
      return;
    }
    firstAtMs = performance.now();
    logger.info({ signal }, 'Stopping: what is finished is stored; a second signal ends it at once');
    abort.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Whether somebody wants the demo to end. */
export interface Interruption {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** What a shell expects of a program that ended so: 130 for Ctrl-C. `undefined` while nothing came. */
  readonly exitCode: number | undefined;
  /** Resolves when a signal that has arrived by now would be known. */
  settled(): Promise<void>;
  stopListening(): void;
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One press of Ctrl-C reaches us twice under `npm run`: from the terminal, and passed on by npm. */
const echoMs = 300;

/** Listens for signals: the first asks for an orderly end, a second one ends the process at once. */
export function listenForInterruption(): Interruption {
  const abort = new AbortController();
  let exitCode: number | undefined;
  let firstAtMs = 0;
  const onSignal = (name: (typeof signals)[number]): void => {
    if (!abort.signal.aborted) {
      firstAtMs = performance.now();
      exitCode = 128 + constants.signals[name];
      abort.abort();
    } else if (performance.now() - firstAtMs > echoMs) {
      process.exit(exitCode);
    }
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    signal: abort.signal,
    get exitCode() {
      return exitCode;
    },
    // Ctrl-C also ends initdb, whose failure is seen before the signal's own turn comes.
    settled: () => delay(20),
    stopListening() {
      for (const name of signals) process.off(name, onSignal);
    },
  };
}

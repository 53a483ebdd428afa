import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface SoakWorkerOptions {
  readonly source: string;
  readonly destination: string;
  /** Of the log. */
  readonly name: string;
  readonly slot: string;
  readonly stateDirectory: string;
  readonly seed: number;
  /** At each failpoint. */
  readonly failureProbability: number;
  /** The slot is told before what it is told of is stored: for the test of this test. */
  readonly isBroken: boolean;
}

/** What the process says. */
export type WorkerLine =
  | { readonly failpoint: string }
  | { readonly ended: string }
  /** What keeps it from recording, or that it records. */
  | { readonly waits: string };

export interface SoakWorker {
  /** Ends by itself only when it refuses to go on: resolves with why, or `undefined` when it was ended. */
  readonly ended: Promise<string | undefined>;
  /** What it said last. */
  readonly said: string;
  signal(name: NodeJS.Signals): void;
  /** Ends it, and waits for that. */
  end(name: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

const program = fileURLToPath(new URL('./worker-program.js', import.meta.url));
/** It stops within 8 s by itself; a machine may be busy. */
const stopPatienceMs = 60_000;

/** @param onFailpoint - told of each failure that the worker made itself. */
export function startSoakWorker(options: SoakWorkerOptions, onFailpoint: (name: string) => void): SoakWorker {
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rest = '';
  let why: string | undefined;
  let saying = 'nothing';
  let isEnding = false;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const said = JSON.parse(line) as WorkerLine;
      if ('failpoint' in said) onFailpoint(said.failpoint);
      else if ('waits' in said) saying = said.waits;
      else why = said.ended;
    }
  });
  const ended = new Promise<string | undefined>((resolve) => {
    // After its output was read.
    child.once('close', (code) => {
      resolve(why ?? (isEnding || code === 0 ? undefined : `the worker ended with exit code ${code}`));
    });
  });
  return {
    ended,
    get said() {
      return saying;
    },
    signal: (name) => child.kill(name),
    async end(name) {
      isEnding = true;
      child.kill('SIGCONT');
      child.kill(name);
      const timer = setTimeout(() => {
        why ??= `the worker did not stop within ${stopPatienceMs / 1000} s`;
        child.kill('SIGKILL');
      }, stopPatienceMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

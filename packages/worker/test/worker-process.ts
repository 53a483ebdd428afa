import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const program = fileURLToPath(new URL('./worker-main.mjs', import.meta.url));

export interface WorkerProcess {
  /** What it has logged so far. */
  readonly lines: readonly {
    readonly level: string;
    readonly message: string;
    readonly [field: string]: unknown;
  }[];
  /** Resolves with the exit code, `null` after a kill. */
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

export interface WorkerProcessOptions {
  readonly source: string;
  readonly destination: string;
  readonly slot: string;
  readonly publication?: string;
  readonly drain?: boolean;
  readonly maximumRowBytes?: number;
}

/** Starts a worker in a process of its own. It is killed when the test ends. */
export function startWorkerProcess(options: WorkerProcessOptions): WorkerProcess {
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: { level: string; message: string }[] = [];
  let rest = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part));
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { lines, exited, kill: (signal) => child.kill(signal) };
}

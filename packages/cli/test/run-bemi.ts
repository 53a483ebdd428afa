import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { newFolder } from '@bemi-db/test-kit/disposable-folder';
import { onTestFinished } from 'vitest';

const program = fileURLToPath(new URL('../bin/bemi.js', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves when stdout holds this text. */
  untilPrinted(text: string): Promise<string>;
  readonly finished: Promise<Finished>;
}

/** An empty folder to run commands in, deleted when the test ends. */
export function projectFolder(): string {
  const folder = newFolder('cli');
  chmodSync(folder, 0o755); // for root, whose embedded server runs as another user
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts the built program with nothing of Bemi's in its environment but what is given. */
export function startBemi(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder: string = projectFolder(),
): Running {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TZ: 'UTC', ...environment },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  child.stdin.end();
  const finished = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    child,
    finished,
    async untilPrinted(text) {
      while (!stdout.includes(text)) {
        if (child.exitCode !== null) throw new Error(`It ended without printing ${text}: ${stdout}${stderr}`);
        await Promise.race([once(child.stdout, 'data'), once(child, 'close')]);
      }
      return stdout;
    },
  };
}

/** Runs it to its end. */
export function runBemi(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<Finished> {
  return startBemi(args, environment, folder).finished;
}

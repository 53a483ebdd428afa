import { lstatSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { CliError } from '../cli-error.ts';
import { readFileIfAny } from '../configuration/bemi-folder.ts';
import { isListening } from '../embedded/tcp-port.ts';
import { folderPrefix, removeCluster } from './demo-cluster.ts';

/** What `bemi demo sql` and `bemi demo tamper` need to know of the demo that runs. */
export interface RunningDemo {
  readonly pid: number;
  /** Port of the clinic, which is served by that process. */
  readonly clinicPort: number;
  /** Its temporary folder. */
  readonly folder: string;
  /** The source database, as a role that may change its rows. Holds a password. */
  readonly directUrl: string;
  /** The audit database as a superuser. Holds a password. */
  readonly auditAdminUrl: string;
}

/** One for each user of the machine. */
function stateFile(): string {
  return join(tmpdir(), `bemi-demo-${process.getuid?.() ?? userInfo().username}.json`);
}

/**
 * Remembers the demo that runs, for its user alone.
 *
 * @returns forgets it.
 */
export function rememberDemo(demo: RunningDemo): () => void {
  const path = stateFile();
  const { pid, clinicPort, folder, directUrl, auditAdminUrl } = demo;
  // Written where nobody else can: in the common folder somebody may have put a link in the way.
  const written = join(folder, 'demo.json');
  writeFileSync(written, `${JSON.stringify({ pid, clinicPort, folder, directUrl, auditAdminUrl })}\n`, {
    mode: 0o600,
  });
  try {
    renameSync(written, path);
  } catch (cause) {
    const fix = 'Delete it, or set TMPDIR to a folder of your own.';
    throw new CliError(1, 'state-file', `Something of another user is in the way: ${path}`, fix, { cause });
  }
  const forget = (): void => {
    process.off('exit', forget);
    if (readState()?.pid === process.pid) rmSync(path, { force: true });
  };
  process.once('exit', forget);
  return forget;
}

/**
 * The demo that runs.
 *
 * @throws CliError when there is none.
 */
export async function expectDemo(): Promise<RunningDemo> {
  const demo = await findDemo();
  if (demo) return demo;
  throw noDemo();
}

export function noDemo(cause?: unknown): CliError {
  return new CliError(1, 'no-demo', 'No demo is running', 'Start one in another terminal: npm run demo', {
    cause,
  });
}

/** The demo that runs, if there is one. */
export async function findDemo(): Promise<RunningDemo | undefined> {
  const state = readState();
  return state && (await isRunning(state)) ? state : undefined;
}

/**
 * Makes way for a new demo: what a killed one left behind is deleted.
 *
 * @throws CliError when one is running.
 */
export async function makeWay(): Promise<void> {
  const state = readState();
  if (!state) return;
  if (await isRunning(state)) {
    throw new CliError(
      1,
      'demo-running',
      `A demo is running already (process ${state.pid})`,
      `End it by Ctrl-C in its window, or by: kill ${state.pid}`,
    );
  }
  // Only what a demo could have made: the file may have been written by hand.
  if (dirname(state.folder) === resolve(tmpdir()) && basename(state.folder).startsWith(folderPrefix)) {
    removeCluster(state.folder);
  }
  rmSync(stateFile(), { force: true });
}

/** Nothing of a file that others could have put there: the temporary folder is everybody's. */
function readState(): RunningDemo | undefined {
  const path = stateFile();
  const stats = lstatSync(path, { throwIfNoEntry: false });
  const isOurs =
    stats?.isFile() && (stats.mode & 0o077) === 0 && stats.uid === (process.getuid?.() ?? stats.uid);
  const text = isOurs ? readFileIfAny(path) : undefined;
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as Record<keyof RunningDemo, unknown>;
    return {
      ...{ pid: Number(state.pid), clinicPort: Number(state.clinicPort) },
      ...{ folder: String(state.folder), directUrl: String(state.directUrl) },
      auditAdminUrl: String(state.auditAdminUrl),
    };
  } catch {
    return undefined; // not ours after all
  }
}

/** Its server outlives a demo that was killed, and a process's number may be another's by now: so both are asked. */
async function isRunning({ pid, clinicPort }: RunningDemo): Promise<boolean> {
  if (!(pid > 0 && clinicPort > 0 && clinicPort < 65_536)) return false;
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return await isListening(clinicPort);
}

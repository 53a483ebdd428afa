import { setTimeout as delay } from 'node:timers/promises';
import type { Configuration } from '../configuration/configuration.ts';
import { print } from '../output/print.ts';
import { errorText } from '../output/print-error.ts';
import { textStyle } from '../presentation/text-style.ts';
import { type StatusReport, statusJson } from './run-status.ts';
import { statusText } from './status-text.ts';

const pauseMs = 2_000;
/** Cursor home, then what is left of the screen is cleared: nothing flickers. */
const home = '\u001b[H';
const clearToEnd = '\u001b[J';
const clearLine = '\u001b[K';

interface WatchOptions {
  /** One object a line, without end. */
  readonly json: boolean;
  readonly configuration: Configuration;
}

/** Reads and shows the status every two seconds, until a signal ends the process. What can't be reached now may be later. */
export async function watchStatus(
  read: () => Promise<StatusReport>,
  { json, configuration }: WatchOptions,
): Promise<void> {
  const abort = new AbortController();
  const end = (): void => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  const isTerminal = process.stdout.isTTY === true && !json;
  if (isTerminal) await print(`${home}${clearToEnd}`);
  let before: { readonly entries: number; readonly atMs: number } | undefined;
  while (!abort.signal.aborted) {
    const report = await read();
    if (abort.signal.aborted) break;
    const entries = report.trail?.summary && Number(report.trail.summary.entryCount);
    const nowMs = performance.now();
    const pace =
      before && entries !== undefined
        ? ((entries - before.entries) * 1000) / (nowMs - before.atMs)
        : undefined;
    before = entries === undefined ? undefined : { entries, atMs: nowMs };
    if (json) await print(`${JSON.stringify({ at: new Date().toISOString(), ...statusJson(report) })}\n`);
    else {
      const text = `${headline(pace)}\n\n${statusText(report, configuration)}${errorsOf(report)}`;
      await print(
        isTerminal ? `${home}${text.replaceAll('\n', `${clearLine}\n`)}${clearToEnd}` : `${text}\n`,
      );
    }
    await delay(pauseMs, undefined, { signal: abort.signal }).catch(() => undefined);
  }
}

function headline(pace: number | undefined): string {
  const { colors } = textStyle(process.stdout);
  const time = new Date().toLocaleTimeString('sv-SE');
  const entries = pace === undefined ? '' : ` · ${Math.round(pace).toLocaleString('en')} entries/s`;
  return `${colors.bold(time)}${entries}${colors.dim(' · every 2 s, Ctrl-C ends')}`;
}

function errorsOf({ errors }: StatusReport): string {
  const style = textStyle(process.stdout);
  return errors.map((error) => `\n${errorText(error, false, false, style)}`).join('');
}

import { ApplyError, type UndoneStep } from '@bemi-db/source/apply-error';
import { type ApplyProgress, applyPlan } from '@bemi-db/source/apply-plan';
import type { PlanStep } from '@bemi-db/source/plan-step';
import type pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';
import { print } from '../output/print.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { type TextStyle, textStyle } from '../presentation/text-style.ts';
import { mostShown, planText, progressText, slotWaitsText, tablesDoneText } from './plan-text.ts';

export interface CarryOutOptions {
  /** Whether it is agreed already. */
  readonly isAgreed: boolean;
  /** Prints nothing. Default: false. */
  readonly isQuiet?: boolean;
  /** Shown below the steps: what they cost. */
  readonly note?: string;
}

/**
 * Shows the steps of a plan, asks unless it is agreed, and does them, a line each.
 *
 * @returns why some of it is not done, where recording goes on without and all else is done.
 * @throws CliError when there is nobody to ask, or the answer is no; ApplyError for any other step that fails.
 */
export async function carryOut(
  client: pg.Client,
  steps: readonly PlanStep[],
  { isAgreed, isQuiet = false, note = '' }: CarryOutOptions,
): Promise<ApplyError | undefined> {
  const style = textStyle(process.stdout);
  if (!isAgreed) {
    if (isQuiet) throw nobodyToAsk();
    await print(`\nTo be done (--dry-run prints the SQL):\n${planText(steps, style)}${note}\n`);
    await agree(steps.length);
  }
  const lines: Promise<void>[] = [];
  try {
    await applyPlan(client, steps, isQuiet ? {} : { onProgress: progressPrinter(steps, lines, style) });
  } catch (error) {
    const isBearable = ({ step }: UndoneStep) => step.kind === 'identity' || step.isDispensable === true;
    if (error instanceof ApplyError && error.undone.every(isBearable)) return error;
    throw error;
  } finally {
    await Promise.all(lines);
  }
  return undefined;
}

// A slot is made at once, unless somebody's transaction is still running.
const slotPatienceMs = 3_000;

/** Of many tables, only how far they are, and those that make trouble. */
function progressPrinter(
  steps: readonly PlanStep[],
  lines: Promise<void>[],
  style: TextStyle,
): (progress: ApplyProgress) => void {
  const tables = steps.filter((step) => step.kind === 'identity').length;
  let done = 0;
  let patience: NodeJS.Timeout | undefined;
  return (progress) => {
    clearTimeout(patience);
    if (progress.step.kind === 'slot' && progress.state === 'started') {
      patience = setTimeout(() => lines.push(print(slotWaitsText(progress.step, style))), slotPatienceMs);
    }
    if (progress.state !== 'done' || progress.step.kind !== 'identity' || tables <= mostShown) {
      lines.push(print(progressText(progress, style)));
      return;
    }
    done += 1;
    if (done % 1_000 === 0 || done === tables) lines.push(print(tablesDoneText(done, tables, style)));
  };
}

function nobodyToAsk(): CliError {
  return usageError('There is no terminal to ask on', 'Add --yes to do it, or --dry-run to see the SQL.');
}

async function agree(stepCount: number): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw nobodyToAsk();
  }
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({
    message: `Do ${stepCount === 1 ? 'it' : `these ${countedText(stepCount, 'step')}`}?`,
  });
  if (isCancel(answer) || !answer) {
    throw new CliError(1, 'cancelled', 'Nothing was changed', 'Run it again when you are ready.');
  }
}

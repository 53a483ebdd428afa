import { applyPlan } from '@bemi-db/source/apply-plan';
import type { PlanStep } from '@bemi-db/source/plan-step';
import type pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';
import { print } from '../output/print.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { planText, progressText } from './plan-text.ts';

/**
 * Shows the steps of a plan, asks unless it is agreed, and does them, a line each.
 *
 * @throws CliError when there is nobody to ask, or the answer is no; ApplyError for a step that fails.
 */
export async function carryOut(
  client: pg.Client,
  steps: readonly PlanStep[],
  isAgreed: boolean,
): Promise<void> {
  const style = textStyle(process.stdout);
  if (!isAgreed) {
    await print(`\nTo be done (--dry-run prints the SQL):\n${planText(steps, style)}\n`);
    await agree(steps.length);
  }
  const lines: Promise<void>[] = [];
  await applyPlan(client, steps, {
    onProgress: (progress) => {
      lines.push(print(progressText(progress, style)));
    },
  });
  await Promise.all(lines);
}

async function agree(stepCount: number): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw usageError('There is no terminal to ask on', 'Add --yes to do it, or --dry-run to see the SQL.');
  }
  const { confirm, isCancel } = await import('@clack/prompts');
  const answer = await confirm({
    message: `Do ${stepCount === 1 ? 'it' : `these ${countedText(stepCount, 'step')}`}?`,
  });
  if (isCancel(answer) || !answer) {
    throw new CliError(1, 'cancelled', 'Nothing was changed', 'Run it again when you are ready.');
  }
}

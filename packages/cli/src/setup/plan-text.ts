import type { ApplyProgress } from '@bemi-db/source/apply-plan';
import type { PlanStep } from '@bemi-db/source/plan-step';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { countText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** Longer plans are counted instead of shown: they are one line a table. */
export const mostShown = 20;

/** What is about to be done, a line each. */
export function planText(steps: readonly PlanStep[], { colors }: TextStyle): string {
  const shown = steps.length > mostShown + 1 ? mostShown : steps.length;
  const lines = steps.slice(0, shown).map((step) => `  ${colors.dim('•')} ${harmless(step.title)}\n`);
  // The last steps are the ones that matter to everybody: publication and slot.
  const rest = steps.slice(shown);
  const last = rest.filter((step) => step.kind !== 'identity');
  const hidden = rest.length - last.length;
  if (hidden > 0) lines.push(`  ${colors.dim(`• and the same for ${hidden} more tables`)}\n`);
  lines.push(...last.map((step) => `  ${colors.dim('•')} ${harmless(step.title)}\n`));
  return lines.join('');
}

/** A line for each step that is done, that has to wait, or that can't be done. */
export function progressText(progress: ApplyProgress, { colors }: TextStyle): string {
  const { step, state, waitMs, holders, undone } = progress;
  const title = harmless(step.title);
  switch (state) {
    case 'started':
      return '';
    case 'done':
      return `${colors.green('✓')} ${title}\n`;
    case 'busy': {
      const who = holders.length === 0 ? '' : ` by ${harmless(holders.join(', '))}`;
      return `${colors.yellow('…')} ${title}: in use${who}, tried again in ${(waitMs ?? 0) / 1_000} s\n`;
    }
    case 'failed':
      return `${colors.red('✗')} ${title}: ${harmless(undone?.reason ?? 'not done')}\n`;
  }
}

/** How far many tables are: one line now and then, instead of one for each. */
export function tablesDoneText(done: number, all: number, { colors }: TextStyle): string {
  return done === all
    ? `${colors.green('✓')} Set the replica identity of ${countText(all)} tables\n`
    : `${colors.dim('…')} ${countText(done)} of ${countText(all)} tables\n`;
}

/** A slot waits for every transaction that runs: nothing is wrong, but it may take as long as the longest. */
export function slotWaitsText({ title }: PlanStep, { colors }: TextStyle): string {
  return (
    `${colors.yellow('…')} ${harmless(title)}: waits for the transactions that run now. The oldest:\n` +
    '    SELECT pid, application_name, xact_start FROM pg_stat_activity WHERE xact_start IS NOT NULL ORDER BY xact_start;\n'
  );
}

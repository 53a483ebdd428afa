import type { ApplyProgress } from '@bemi-db/source/apply-plan';
import type { PlanStep } from '@bemi-db/source/plan-step';
import { harmless } from '../presentation/harmless-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** Longer plans are counted instead of shown: they are one line a table. */
const mostShown = 20;

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

/** A line for each step that is done, and for each that has to wait. */
export function progressText({ step, state, waitMs }: ApplyProgress, { colors }: TextStyle): string {
  switch (state) {
    case 'started':
      return '';
    case 'done':
      return `${colors.green('✓')} ${harmless(step.title)}\n`;
    case 'busy':
      return `${colors.yellow('…')} ${harmless(step.title)}: in use, tried again in ${(waitMs ?? 0) / 1_000} s\n`;
  }
}

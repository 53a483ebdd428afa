import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import type { RecentRecording } from '@bemi-db/trail/query/recent-recording';
import { invocation } from '../output/invocation.ts';
import { countText } from '../presentation/quantity-text.ts';

const id = 'captured';
const wanted = ['INSERT', 'UPDATE', 'DELETE'] as const;

/**
 * Whether each operation was recorded lately, or, where the application had no occasion, whether what is written arrives.
 *
 * @param probe - what became of a probe, where one was sent.
 */
export function checkCaptured(recent: RecentRecording, probe: Finding | undefined): Finding {
  const { operations } = recent;
  const seen = wanted.filter((operation) => (operations[operation] ?? 0) > 0);
  const evidence =
    seen.length === 0
      ? 'no change was recorded lately'
      : `recorded lately: ${seen.map((operation) => `${countText(operations[operation] ?? 0)} ${operation}`).join(', ')}`;
  if (probe?.verdict === 'failure') return problem('failure', id, probe.title, evidence, probe.fix);
  if (seen.length === wanted.length) return ok(id, 'Every operation is recorded', evidence);
  if (probe?.verdict === 'ok')
    return ok(id, 'What is written is recorded', `${evidence}; a probe was ${probe.evidence}`);
  const missing = wanted.filter((operation) => !seen.includes(operation));
  return unknown(
    id,
    `No ${missing.join(', ')} was recorded lately`,
    evidence,
    `Write to a test record, or send a message through: ${invocation()} doctor --probe`,
  );
}

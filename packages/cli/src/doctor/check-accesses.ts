import { type Finding, ok, problem } from '@bemi-db/source/finding';
import type { WaitingAccesses } from '@bemi-db/trail/access/read-accesses';
import { ageText } from '../presentation/moment-text.ts';
import { countedText } from '../presentation/quantity-text.ts';

/** A worker records an access at once, or finds it within ten seconds. */
const patienceMs = 60_000;

/** Whether somebody records who looks at the trail: what waits could be removed by who owns the audit database. */
export function checkAccesses({ count, since }: WaitingAccesses, now: Date): Finding {
  const id = 'accesses';
  if (since === undefined || now.getTime() - Date.parse(since) < patienceMs)
    return ok(id, 'Who looks at the trail is recorded', 'no access waits');
  return problem(
    'warning',
    id,
    'Who looked at the trail is not recorded yet',
    `${countedText(count, 'access waits', 'accesses wait')}, the oldest came ${ageText(since, now)}`,
    'A worker records them, and its log says what keeps it from that: bemi worker',
  );
}

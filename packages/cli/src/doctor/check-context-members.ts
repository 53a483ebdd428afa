import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import type { RecentRecording } from '@bemi-db/trail/query/recent-recording';
import { countText } from '../presentation/quantity-text.ts';

const id = 'context-members';

/** Whether contexts say who and why, by the names that are asked for. */
export function checkContextMembers({ contexts, withMember }: RecentRecording): Finding {
  const members = Object.entries(withMember);
  if (contexts === 0) return unknown(id, 'No recent context to look at', 'no context was recorded lately');
  const evidence = members
    .map(([member, count]) => `${member} in ${countText(count)} of ${countText(contexts)}`)
    .join(', ');
  const lacking = members.filter(([, count]) => count === 0).map(([member]) => member);
  if (lacking.length === 0) return ok(id, 'Contexts say who and why', evidence);
  return problem(
    'warning',
    id,
    `No recent context has ${lacking.join(' or ')}`,
    evidence,
    `Set them where the request begins: setBemiContext({ ${lacking.map((member) => `${member}: …`).join(', ')} }) (docs/context.md). ` +
      'Where the application has other names for them: --context-members NAME,NAME',
  );
}

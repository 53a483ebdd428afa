import { daysToMs } from '@bemi-db/proof/retention-periods';
import { parseErasure } from '@bemi-db/trail/erasure/erasure-request';
import { pairedCount } from '@bemi-db/trail/erasure/sequence-pairs';
import type { InboxRequest } from '@bemi-db/trail/inbox';
import { requestMembers } from '@bemi-db/trail/request-payload';
import type pg from 'pg';
import type { RetentionSettings } from '../retention/retention-settings.ts';

/** What becomes of a request: an event with this payload, or why it becomes none. */
export type AccessVerdict = { readonly payload: string } | { readonly refusal: string };

const mostBytes = 16_384;

/**
 * Whether a request becomes an entry of the log of accesses. Requests for another key are not judged here.
 *
 * @param now - by the least of the clocks, in milliseconds since 1970
 */
export async function judgeAccessRequest(
  client: pg.ClientBase,
  log: number,
  request: InboxRequest,
  retention: RetentionSettings,
  now: number,
): Promise<AccessVerdict> {
  switch (request.kind) {
    case 'access':
      return judgeAccess(request.payload);
    case 'config': {
      const { schema, table } = requestMembers(request.payload);
      if (schema !== undefined || table !== undefined)
        return { refusal: 'the log of accesses has no tables: it has one period' };
      return (
        (await retention.judge(client, log, request)) ?? {
          refusal: 'the log of accesses has no such setting',
        }
      );
    }
    case 'erasure':
      return await judgeExpiry(client, log, request, retention, now);
    default:
      return { refusal: `The log of accesses takes no requests of the kind ${request.kind}` };
  }
}

/** Only the owner of the audit database comes past the function that asks for accesses, with whatever he likes. */
function judgeAccess(payload: string): AccessVerdict {
  const members: unknown = JSON.parse(payload);
  const text = JSON.stringify(members);
  const isObject = typeof members === 'object' && members !== null && !Array.isArray(members);
  // The index reads the payload as jsonb, which has no NUL and no half of a character.
  if (!isObject || Buffer.byteLength(text) > mostBytes || /\\u0000|\\ud[89a-f]/i.test(text))
    return { refusal: 'an access is a JSON object of texts that can be shown, and no novel' };
  return { payload: text };
}

/** What somebody looked at is not erased because somebody wants it: only when the time for which it is kept has passed. */
async function judgeExpiry(
  client: pg.ClientBase,
  log: number,
  request: InboxRequest,
  retention: RetentionSettings,
  now: number,
): Promise<AccessVerdict> {
  const erasure = parseErasure(request.payload);
  if (typeof erasure === 'string') return { refusal: erasure };
  const { longest } = retention.periods.at(now);
  if (longest === undefined) return { refusal: 'the log does not say how long it is kept' };
  const { rows } = await client.query<{ expired: string }>(
    `SELECT count(*) AS expired
       FROM json_array_elements($2::json) AS pair
       JOIN bemi.event_log e ON e.log = $1 AND e.sequence BETWEEN (pair->>0)::bigint AND (pair->>1)::bigint
      WHERE e.kind = 'access' AND e.salt IS NOT NULL AND e.at < $3`,
    [log, JSON.stringify(erasure.entries), new Date(now - daysToMs(longest))],
  );
  return Number(rows[0]!.expired) === pairedCount(erasure.entries)
    ? { payload: JSON.stringify(erasure) }
    : { refusal: 'accesses are erased when the time for which they are kept has passed, and not before' };
}

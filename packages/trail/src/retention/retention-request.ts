import { isPlainText, requestMembers } from '../request-payload.ts';

/** What a `retention` event says, docs/spec/log.md. */
export interface RetentionPayload {
  /** The first sequence that is kept. */
  readonly before: number;
  /** RFC 3339, in UTC. */
  readonly olderThan: string;
  readonly by: string;
}

/** The payload of a retention, or why it is none. */
export function parseRetention(payload: string): RetentionPayload | string {
  const { before, olderThan, by } = requestMembers(payload);
  if (typeof before !== 'number' || !Number.isSafeInteger(before) || before <= 0)
    return 'before is not a sequence';
  const moment = typeof olderThan === 'string' ? new Date(olderThan) : undefined;
  if (!moment || Number.isNaN(moment.getTime()) || moment.getTime() > Date.now())
    return 'olderThan is not a time in the past';
  if (!isPlainText(by)) return 'retention says who wants it';
  return { before, olderThan: moment.toISOString(), by };
}

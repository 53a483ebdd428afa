import { isPlainText, requestMembers } from '../request-payload.ts';
import { parseTrackingRules, type TrackingRules } from './tracking-rules.ts';

export const rulesSet = 'rules-set';

/** A `config` event that sets rules, docs/spec/log.md. */
export interface RulesEvent {
  readonly event: typeof rulesSet;
  readonly rules: TrackingRules;
  /** They judge transactions whose commit is at this position or later. */
  readonly fromLsn: string;
  /** Asked for by a person, or written by the worker from its configuration file. */
  readonly origin: 'request' | 'file';
  readonly file?: string;
  readonly reason?: string;
  readonly by?: string;
  /** Tells the key that hashes from others, where there is one. */
  readonly hashKey?: string;
}

/** A request for one. */
export interface RulesRequest {
  readonly rules: TrackingRules;
  readonly reason: string;
  readonly by: string;
  /** Only where the rules in force are those of this entry; `null`: where there are none yet. */
  readonly basedOn?: number | null;
}

/** Whether a request for a `config` event is one for rules. */
export function isRulesRequest(payload: string): boolean {
  return requestMembers(payload)['event'] === rulesSet;
}

/** The request, or why it is none. */
export function parseRulesRequest(payload: string): RulesRequest | string {
  const { rules, reason, by, basedOn } = requestMembers(payload);
  const parsed = parseTrackingRules(rules);
  if ('problem' in parsed) return parsed.problem.message;
  if (!isPlainText(reason)) return 'a change of rules says why';
  if (!isPlainText(by)) return 'a change of rules says who wants it';
  if (basedOn !== undefined && basedOn !== null && !Number.isSafeInteger(basedOn))
    return 'what a change of rules is based on is a sequence';
  return {
    rules: parsed.rules,
    reason,
    by,
    ...(basedOn === undefined ? {} : { basedOn: basedOn as number | null }),
  };
}

import type pg from 'pg';
import { requestMembers } from '../request-payload.ts';
import { type RulesEvent, rulesSet } from './rules-event.ts';
import { noRules, parseTrackingRules } from './tracking-rules.ts';

/** Rules as an entry of the log has set them. */
export interface RecordedRules extends RulesEvent {
  readonly sequence: number;
  /** RFC 3339 in UTC. */
  readonly at: string;
}

/** A log's rules are not what this version can read: it must not record by others. */
export class UnreadableRulesError extends Error {
  override readonly name = 'UnreadableRulesError';
  readonly sequence: number;

  constructor(sequence: number, why: string) {
    super(`The rules that entry ${sequence} of the log sets can't be read: ${why}`);
    this.sequence = sequence;
  }
}

/**
 * The rules that a log's source has had, oldest first. Positions of an earlier generation say nothing in this one: of the
 * rules that were set before it began, the last are in force from its beginning on.
 *
 * @throws UnreadableRulesError
 */
export async function recordedRules(client: pg.ClientBase, log: number): Promise<RecordedRules[]> {
  const { rows } = await client.query<{ sequence: string; kind: string; at: string; payload: string }>(
    `SELECT sequence, kind, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, payload::text AS payload
       FROM bemi.event_log
      WHERE log = $1 AND (kind = 'gap' OR kind = 'config' AND payload->>'event' = $2) ORDER BY sequence`,
    [log, rulesSet],
  );
  let recorded: RecordedRules[] = [];
  for (const { sequence, kind, at, payload } of rows) {
    if (kind === 'gap') recorded = recorded.slice(-1).map((last) => ({ ...last, fromLsn: '0/0' }));
    else recorded.push({ ...eventOf(Number(sequence), payload), sequence: Number(sequence), at });
  }
  return recorded;
}

/** Those that are in force now; `undefined` where none were ever set. */
export async function rulesInForce(client: pg.ClientBase, log: number): Promise<RecordedRules | undefined> {
  return (await recordedRules(client, log)).at(-1);
}

function eventOf(sequence: number, payload: string): RulesEvent {
  const event = requestMembers(payload) as unknown as RulesEvent;
  const parsed = parseTrackingRules(event.rules ?? noRules);
  if ('problem' in parsed) throw new UnreadableRulesError(sequence, parsed.problem.message);
  if (!/^[0-9A-F]+\/[0-9A-F]+$/.test(event.fromLsn))
    throw new UnreadableRulesError(sequence, 'it has no position');
  return { ...event, rules: parsed.rules };
}

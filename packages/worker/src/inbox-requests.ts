import { daysToMs } from '@bemi-db/proof/retention-periods';
import type { EventEffect } from '@bemi-db/trail/append/append-unit';
import { parseAttestation } from '@bemi-db/trail/attestations/attestation-request';
import { parseErasure } from '@bemi-db/trail/erasure/erasure-request';
import { pairedCount, type SequencePair } from '@bemi-db/trail/erasure/sequence-pairs';
import { parseHold } from '@bemi-db/trail/holds/hold-request';
import { type Hold, holdsBefore, holdsOnEntries, readHolds } from '@bemi-db/trail/holds/holds';
import { type InboxRequest, openRequests, refuseRequest, requestPage } from '@bemi-db/trail/inbox';
import { mayDropNow, planRetention } from '@bemi-db/trail/retention/plan-retention';
import { readLogTime } from '@bemi-db/trail/retention/retention-periods';
import { parseRetention } from '@bemi-db/trail/retention/retention-request';
import { isRulesRequest } from '@bemi-db/trail/rules/rules-event';
import { currentKey } from '@bemi-db/trail/tree/key-events';
import type pg from 'pg';
import type { ContextKeys } from './authenticity/context-keys.ts';
import type { RetentionSettings } from './retention/retention-settings.ts';
import type { RulesJudge } from './rules/judge-rules.ts';
import { keyRequestProblem } from './signing/key-request.ts';

export interface InboxOptions {
  /** Not the writer's. */
  readonly client: pg.ClientBase;
  readonly log: number;
  readonly logId: string;
  readonly contextKeys: ContextKeys;
  readonly rulesJudge: RulesJudge;
  readonly retention: RetentionSettings;
  /** Whether a source transaction is open, which may take long. */
  readonly isInTransaction: () => boolean;
  /** Requests to be appended as events, each handed over once. */
  readonly onRequests: (requests: readonly InboxRequest[]) => void;
}

/** What becomes of a request: an event with this payload, a refusal, or it is looked at again. */
type Verdict =
  | { readonly event: InboxRequest }
  | { readonly refusal: string }
  | { readonly wait: 'for another request' | 'for readers' };

/**
 * What may be asked for. The other kinds say what only the worker knows (`relation`, `alive`, `lineage` …): whoever may
 * write to the inbox could explain with them what they are there to show.
 */
const requestable: ReadonlySet<string> = new Set([
  'erasure',
  'hold',
  'retention',
  'key',
  'custom',
  'config',
  'attestation',
]);

const effectful: ReadonlySet<string> = new Set(['erasure', 'hold', 'retention']);

/** What an event does beside being said, if it does. */
export function effectOf(kind: string, payload: string): { readonly effect?: EventEffect } {
  return effectful.has(kind) || kind === 'config' ? { effect: { kind, payload } } : {};
}

/**
 * Reads requests from the inbox and hands over those that become events.
 *
 * An event can't be taken back: its leaf is in the tree before it is in the audit database. So a request that erases,
 * holds or drops is judged before it is handed over, by what is committed; and not while a hold that was handed over is
 * on its way, which may be one that forbids it. A hold that is placed later comes later in the log too.
 */
export class Inbox {
  readonly #options: InboxOptions;
  /** Kinds of the requests that were handed over and are not answered yet, by id. */
  #underWay = new Map<string, string>();

  constructor(options: InboxOptions) {
    this.#options = options;
  }

  /**
   * Whether what was handed over has been answered, as far as the last reading knows. A request to sign with another key
   * may wait for long, until the worker has that key.
   */
  get isAnswered(): boolean {
    return [...this.#underWay.values()].every((kind) => kind === 'key');
  }

  /** Returns whether a request waits for something that will pass: to be called again soon. */
  async read(): Promise<boolean> {
    const { client, log, isInTransaction, onRequests } = this.#options;
    // From the first on, each time: ids are not committed in their order.
    const requests = await openRequests(client, log, '0');
    const open = new Set(requests.map(({ id }) => id));
    this.#underWay = new Map([...this.#underWay].filter(([id]) => open.has(id)));
    let isWaiting = requests.length === requestPage;
    for (const request of requests) {
      if (this.#underWay.has(request.id)) continue;
      const verdict = await this.#judge(request);
      if ('refusal' in verdict) await refuseRequest(client, log, request.id, verdict.refusal);
      // Its locks last until the commit of what is open, and nobody could read meanwhile.
      else if ('wait' in verdict || (request.kind === 'retention' && isInTransaction())) isWaiting = true;
      else {
        this.#underWay.set(request.id, request.kind);
        onRequests([verdict.event]);
      }
    }
    return isWaiting;
  }

  async #judge(request: InboxRequest): Promise<Verdict> {
    const { client, log } = this.#options;
    if (!requestable.has(request.kind)) {
      return { refusal: `Events of the kind ${request.kind} are the worker's own: nobody can ask for one.` };
    }
    if (request.kind === 'key') return this.#judgeKey(request);
    if (request.kind === 'config') return this.#judgeConfig(request);
    if (request.kind === 'attestation') return judgeAttestation(request);
    if (!effectful.has(request.kind)) return { event: request };
    const before = [...this.#underWay.values()];
    if (before.includes('hold') || before.includes('retention')) return { wait: 'for another request' };
    switch (request.kind) {
      case 'erasure':
        return judgeErasure(client, log, request);
      case 'hold':
        return judgeHold(client, log, request);
      default:
        return judgeRetention(client, log, this.#options.retention, request);
    }
  }

  async #judgeConfig(request: InboxRequest): Promise<Verdict> {
    const { client, log, contextKeys, retention, rulesJudge } = this.#options;
    if (isRulesRequest(request.payload)) {
      const asked = await rulesJudge.judge(request);
      return typeof asked === 'string' ? { refusal: asked } : { event: request };
    }
    const judged =
      (await retention.judge(client, log, request)) ?? (await contextKeys.judge(client, log, request));
    return 'refusal' in judged ? judged : { event: { ...request, payload: judged.payload } };
  }

  async #judgeKey(request: InboxRequest): Promise<Verdict> {
    const { client, log, logId } = this.#options;
    const current = await currentKey(client, log);
    if (!current) return { wait: 'for another request' }; // the log's first events are on their way
    const currentKeyBytes = Buffer.from(current.publicKey, 'base64');
    const problem = await keyRequestProblem(request, { logId, currentKey: currentKeyBytes });
    return problem === undefined ? { event: request } : { refusal: problem };
  }
}

function judgeAttestation(request: InboxRequest): Verdict {
  const attestation = parseAttestation(request.payload);
  return typeof attestation === 'string' ? { refusal: attestation } : eventOf(request, attestation);
}

async function judgeErasure(client: pg.ClientBase, log: number, request: InboxRequest): Promise<Verdict> {
  const erasure = parseErasure(request.payload);
  if (typeof erasure === 'string') return { refusal: erasure };
  const { all, left } = await countEntries(client, log, erasure.entries);
  if (all !== pairedCount(erasure.entries)) {
    return { refusal: 'some of the entries are no changes or contexts of this log, or have been dropped' };
  }
  if (left === 0) return { refusal: 'the entries are erased already' };
  const [hold] = await holdsOnEntries(client, log, erasure.entries);
  return hold ? { refusal: keptBy(hold) } : eventOf(request, erasure);
}

async function judgeHold(client: pg.ClientBase, log: number, request: InboxRequest): Promise<Verdict> {
  const hold = parseHold(request.payload);
  if (typeof hold === 'string') return { refusal: hold };
  const exists = (await readHolds(client, log)).some(({ id }) => id === hold.id);
  if (hold.event === 'placed' && exists) return { refusal: `there is a hold ${hold.id} already` };
  if (hold.event === 'released' && !exists) return { refusal: `there is no hold ${hold.id}` };
  return eventOf(request, hold);
}

async function judgeRetention(
  client: pg.ClientBase,
  log: number,
  settings: RetentionSettings,
  request: InboxRequest,
): Promise<Verdict> {
  const retention = parseRetention(request.payload);
  if (typeof retention === 'string') return { refusal: retention };
  const problem = await tooYoung(client, log, settings, retention.olderThan);
  if (problem !== undefined) return { refusal: problem };
  const plan = await planRetention(client, log, new Date(retention.olderThan), { until: retention.before });
  // Only what the event says may be missing afterwards, and all of it is.
  if (plan?.before !== retention.before) {
    const possible = plan ? `the entries before ${plan.before}` : 'nothing';
    return {
      refusal: `by age and partition ${possible} can be dropped, not those before ${retention.before}`,
    };
  }
  const [hold] = await holdsBefore(client, log, retention.before);
  if (hold) return { refusal: keptBy(hold) };
  if (!(await mayDropNow(client, log))) return { wait: 'for readers' };
  return eventOf(request, { ...retention, events: await countEvents(client, log, retention.before) });
}

/** Why what is older than a moment may not be dropped: by the log's own time and account, it has not expired. */
async function tooYoung(
  client: pg.ClientBase,
  log: number,
  settings: RetentionSettings,
  olderThan: string,
): Promise<string | undefined> {
  const now = await readLogTime(client, log);
  const { longest } = settings.periods.at(now ?? 0);
  if (longest === undefined || now === undefined) return 'the log does not say how long it is kept';
  const expired = new Date(now - daysToMs(longest));
  return Date.parse(olderThan) <= expired.getTime()
    ? undefined
    : `the log keeps everything for ${longest} days, and by its own time only what is older than ${expired.toISOString()} has expired`;
}

/** Once their neighbours are dropped, their number alone tells whether one of them is missing. */
async function countEvents(client: pg.ClientBase, log: number, before: number): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    'SELECT count(*) FROM bemi.event_log WHERE log = $1 AND sequence < $2',
    [log, before],
  );
  return Number(rows[0]!.count);
}

/** With the members that the kind has, and no others: what else the request says may be personal. */
function eventOf({ id, kind, actor }: InboxRequest, payload: object): Verdict {
  return { event: { id, kind, actor, payload: JSON.stringify(payload) } };
}

function keptBy({ id, placedBy, reason }: Hold): string {
  return `the hold ${id} of ${placedBy} keeps some of the entries: ${reason}`;
}

/** How many changes and contexts these are, and how many of them are not erased. */
async function countEntries(
  client: pg.ClientBase,
  log: number,
  entries: readonly SequencePair[],
): Promise<{ all: number; left: number }> {
  const { rows } = await client.query<{ all: string; left: string }>(
    `SELECT count(*) AS all, count(entry.salt) AS left
       FROM json_array_elements($2::json) AS pair
       JOIN LATERAL (SELECT salt FROM bemi.change_log
                      WHERE log = $1 AND sequence BETWEEN (pair->>0)::bigint AND (pair->>1)::bigint
                     UNION ALL
                     SELECT salt FROM bemi.context_log
                      WHERE log = $1 AND sequence BETWEEN (pair->>0)::bigint AND (pair->>1)::bigint) entry ON true`,
    [log, JSON.stringify(entries)],
  );
  return { all: Number(rows[0]!.all), left: Number(rows[0]!.left) };
}

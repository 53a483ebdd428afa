import { encodeBase64 } from '@bemi-db/proof/base64';
import type { Lsn } from '@bemi-db/replication/lsn';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import type { InboxRequest } from '@bemi-db/trail/inbox';
import { isRulesRequest, parseRulesRequest } from '@bemi-db/trail/rules/rules-event';
import { aliveEvent } from './alive.ts';
import type { Announcements } from './announcements.ts';
import type { ContextKeys } from './authenticity/context-keys.ts';
import { nowMicros } from './clock.ts';
import { createdEvent } from './created-event.ts';
import { effectOf } from './inbox-requests.ts';
import type { Logger } from './logger.ts';
import type { OpenSession, SessionTargets } from './open-session.ts';
import { ProblemError } from './problem.ts';
import type { RetentionSettings } from './retention/retention-settings.ts';
import type { ConfiguredRules, DueRules, RulesJudge } from './rules/judge-rules.ts';
import type { RulesInForce } from './rules/rules-in-force.ts';
import { loadSigningKey } from './signing/signing-key.ts';

export interface SessionEventsOptions {
  readonly session: OpenSession;
  readonly targets: SessionTargets;
  readonly batch: EntryBatch;
  readonly contextKeys: ContextKeys;
  readonly rules: RulesInForce;
  readonly rulesJudge: RulesJudge;
  /** What transactions that have not begun to come commit at, or after. */
  readonly nextFinalLsn: () => Lsn;
  readonly retention: RetentionSettings;
  /** How long everything is kept, if the worker was told. */
  readonly retentionDays: number | undefined;
  /** Up to where the source was recorded when the session began. */
  readonly fromLsn: Lsn;
  readonly aliveIntervalMs: number;
  /** What the process has to say; what is durable is taken away. */
  readonly announcements: Announcements;
  /** Whether a source transaction is open: events then go with its commit. */
  readonly isInTransaction: () => boolean;
  /** Writes what is complete, when the writer comes to it. */
  readonly flush: () => void;
  /** Ends the session. */
  readonly fail: (error: ProblemError) => void;
  readonly logger: Logger;
}

/** The events that a session adds to the log by itself, and those that other processes ask for. */
export class SessionEvents {
  readonly #options: SessionEventsOptions;
  /** Up to where an `alive` event, or the start, covers the source. */
  #aliveLsn: Lsn;
  #aliveDueAtMs: number;
  /** The rules of the configuration file that were looked at last. */
  #consideredRules: ConfiguredRules | undefined;

  constructor(options: SessionEventsOptions) {
    this.#options = options;
    options.announcements.restart();
    this.#aliveLsn = options.fromLsn;
    this.#aliveDueAtMs = performance.now() + options.aliveIntervalMs;
  }

  /**
   * Before anything else of the session.
   *
   * @param dueRules - that the worker sets by itself.
   */
  appendStart(dueRules: DueRules | undefined): void {
    const { session, targets, batch, retention, retentionDays, logger } = this.#options;
    const { isNew, publicKey, keyRequest } = session.tree;
    const first = batch.nextSequence;
    if (isNew) {
      this.#append('lifecycle', createdEvent(targets.name, session.state));
      this.#append('key', { event: 'created', publicKey });
    }
    // A new key signs from here on, so the log says so first.
    if (keyRequest) this.#appendRequest(keyRequest);
    if (session.lineage) this.#append('lineage', session.lineage);
    const period = retention.startEvent(retentionDays, logger);
    if (period) {
      this.#append('config', period);
      retention.apply(JSON.stringify(period));
    }
    if (dueRules) this.#appendRules(dueRules);
    this.#appendAnnounced();
    if (batch.nextSequence !== first) this.#complete();
  }

  /**
   * Says in the log, now and then, that the worker is there; under load too, where the event goes with the next commit.
   *
   * @param sourceMicros - the source's clock when it last spoke; `undefined` when it has not yet, and will within seconds.
   * @param safeLsn - up to where everything that was committed is in the log.
   */
  async appendAliveIfDue(sourceMicros: bigint | undefined, safeLsn: () => Lsn): Promise<void> {
    const { session, aliveIntervalMs } = this.#options;
    if (sourceMicros === undefined || performance.now() < this.#aliveDueAtMs) return;
    this.#aliveDueAtMs = performance.now() + aliveIntervalMs;
    let auditTime: Date;
    try {
      auditTime = await session.auditReader.clock();
    } catch {
      return; // a connection that is lost ends the session by itself
    }
    const toLsn = safeLsn();
    this.#append('alive', aliveEvent({ fromLsn: this.#aliveLsn, toLsn, sourceMicros, auditTime }));
    this.#aliveLsn = toLsn;
    this.#complete();
  }

  /** What the process has had to say since. */
  appendAnnouncements(): void {
    if (this.#appendAnnounced()) this.#complete();
  }

  /** Puts rules into force that the configuration file has come to name. What can't be is said, and nothing changes. */
  async considerConfiguredRules(configured: ConfiguredRules | undefined): Promise<void> {
    if (configured === this.#consideredRules) return;
    this.#consideredRules = configured;
    const { rulesJudge, logger, batch } = this.#options;
    try {
      const due = configured && (await rulesJudge.due());
      if (!due || this.#consideredRules !== configured) return;
      const sequence = batch.nextSequence;
      this.#appendRules(due);
      this.#complete();
      logger.info(
        { file: configured.file, entry: sequence },
        'Other rules are in force for what comes from now on',
      );
    } catch (error) {
      if (!(error instanceof ProblemError)) return; // a connection that is lost ends the session by itself
      const { code, message, fix } = error.problem;
      logger.error({ code, fix }, message);
    }
  }

  /** Events of one kind that belong together. Returns their sequences. */
  appendTogether(kind: string, payloads: readonly object[]): readonly number[] {
    const first = this.#options.batch.nextSequence;
    for (const payload of payloads) this.#append(kind, payload);
    this.#complete();
    return payloads.map((_, i) => first + i);
  }

  /** Said last, where no source transaction is open: it would go with one that is rolled back now. */
  appendStop(): void {
    if (this.#options.isInTransaction()) return;
    this.#append('lifecycle', { event: 'stopped' });
    this.#complete();
  }

  appendRequests(requests: readonly InboxRequest[]): void {
    for (const request of requests) {
      if (request.kind === 'key') {
        if (request.id !== this.#options.session.tree.keyRequest?.id) this.#considerKey(request);
      } else this.#appendRequest(request);
    }
    this.#complete();
  }

  #appendAnnounced(): boolean {
    const { announcements, batch } = this.#options;
    return announcements.append((payload) => {
      const sequence = batch.nextSequence;
      this.#append('lifecycle', payload);
      return sequence;
    });
  }

  #append(kind: string, payload: object): void {
    this.#options.batch.event(kind, nowMicros(), undefined, JSON.stringify(payload));
  }

  /** Before any change that they judge. */
  #appendRules({ rules, said }: DueRules, actor?: string): { sequence: number; payload: string } {
    const { batch, rules: inForce, nextFinalLsn } = this.#options;
    const event = inForce.event(rules, nextFinalLsn(), said);
    const payload = JSON.stringify(event);
    const sequence = batch.event('config', nowMicros(), actor, payload);
    inForce.apply(event, sequence);
    return { sequence, payload };
  }

  #appendRequest({ id, kind, actor, payload }: InboxRequest): void {
    const { batch, contextKeys, retention } = this.#options;
    if (kind === 'config' && isRulesRequest(payload)) {
      const asked = parseRulesRequest(payload);
      if (typeof asked === 'string') throw new TypeError(`A request was not judged: ${asked}`);
      const { rules, reason, by } = asked;
      const appended = this.#appendRules({ rules, said: { origin: 'request', reason, by } }, actor);
      batch.answer({ id, sequence: appended.sequence });
      return;
    }
    const sequence = batch.event(kind, nowMicros(), actor, payload);
    if (kind === 'config') {
      contextKeys.apply(payload);
      retention.apply(payload);
    }
    batch.answer({ id, sequence, ...effectOf(kind, payload) });
  }

  #complete(): void {
    if (this.#options.isInTransaction()) return;
    this.#options.batch.complete();
    this.#options.flush();
  }

  /**
   * Another key takes effect with the next session, which checks the request; where the worker has that key. Whoever may
   * write to the inbox can ask for anything: a request for the key that signs already must not start the session over, again
   * and again.
   */
  #considerKey(request: InboxRequest): void {
    const { session, targets, logger, fail } = this.#options;
    const { publicKey } = (JSON.parse(request.payload) ?? {}) as { publicKey?: unknown };
    if (publicKey === session.tree.publicKey) return; // the session began with it
    const key = loadSigningKey(targets.signing);
    if (!key || encodeBase64(key.publicKey) !== publicKey) {
      logger.warn(
        { request: request.id },
        'A request to sign with another key waits until the worker has that key',
      );
      return;
    }
    const message = 'The key that signs the log is another one from here on';
    const fix = 'Nothing to do: the worker starts over with it.';
    fail(new ProblemError({ code: 'signing-key-changed', message, fix, kind: 'retry' }));
  }
}

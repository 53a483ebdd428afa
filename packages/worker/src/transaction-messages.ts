import { CONTEXT_PREFIX } from '@bemi-db/context/message';
import { formatLsn, type Lsn } from '@bemi-db/replication/lsn';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import { contextDigest } from '@bemi-db/trail/append/rejected-rows';
import { ACTOR_PREFIX, ActorMemory } from './actor-memory.ts';
import type { ContextAuthenticity } from './authenticity/context-authenticity.ts';
import { nowMicros, timeText } from './clock.ts';
import type { ContextText } from './context-text.ts';
import { DDL_PREFIX, type DdlContent, ddlPayload, readDdl } from './ddl-event.ts';
import { contextNumber, type OpenTransaction } from './open-transaction.ts';
import { PROBE_PREFIX, ProbeLimit, probeToken } from './probe.ts';
import { rejectedReason } from './rejected-unit.ts';
import type { ShapeRegistry } from './shape-registry.ts';
import { trailSchema } from './trail-schema.ts';

export interface TransactionMessagesOptions {
  readonly batch: EntryBatch;
  readonly shapes: ShapeRegistry;
  /** Source and audit database are one: the trail's own tables are not recorded. */
  readonly holdsTrail: boolean;
  readonly readContext: (content: Buffer) => ContextText;
  readonly authenticity: ContextAuthenticity;
  /** What the audit database would not take when it came before: SQLSTATEs by digest. */
  readonly rejected: ReadonlyMap<string, string>;
  readonly onQuarantine: (what: string, reason: string) => void;
  /** A DDL message became an entry. */
  readonly onDdl: (ddl: DdlContent, commitLsn: Lsn) => void;
  /** A recorded change was added to the batch. */
  readonly onChange: () => void;
}

/** What a transaction's messages say of it: its contexts, its actor, what its DDL did, and that it is a probe. */
export class TransactionMessages {
  readonly #options: TransactionMessagesOptions;
  readonly #batch: EntryBatch;
  readonly #probeLimit = new ProbeLimit();

  constructor(options: TransactionMessagesOptions) {
    this.#options = options;
    this.#batch = options.batch;
  }

  take(transaction: OpenTransaction, lsn: Lsn, prefix: string, content: Buffer): void {
    if (prefix === DDL_PREFIX) this.#ddl(transaction, lsn, content);
    if (transaction.isRepeated) return;
    if (prefix === ACTOR_PREFIX) {
      transaction.actors ??= new ActorMemory(this.#options.readContext);
      transaction.actors.add(content);
    }
    if (prefix !== CONTEXT_PREFIX) {
      if (prefix === PROBE_PREFIX) transaction.probe ??= probeToken(content);
      return;
    }
    if (transaction.context?.equals(content)) return;
    transaction.context = Buffer.from(content);
    transaction.isContextPending = true;
    // Changes or DDL came first: they take this one, so it must be an entry even if none follows.
    if (transaction.contextCount === 0 && (transaction.changeCount > 0 || transaction.ddlCount > 0))
      this.addContext(transaction);
  }

  /** Makes the context in force an entry: a change needs it. */
  addContext(transaction: OpenTransaction): void {
    const { rejected, readContext, authenticity, onQuarantine } = this.#options;
    transaction.isContextPending = false;
    transaction.sequence ??= this.#batch.nextSequence;
    const content = transaction.context!;
    const read = readContext(content);
    const reason = read.text
      ? rejected.size > 0 && rejectedReason(rejected.get(contextDigest(read.text)))
      : (read.reason ?? 'not JSON');
    const kept = read.text && !reason ? read.text : { reason: reason || 'not JSON', bytes: content };
    // What can't be shown is nobody's word.
    const word = read.text && !reason ? authenticity.judge(read.text, read.claims, transaction) : 'unsigned';
    this.#batch.context(transaction.sequence, transaction.contextCount, kept, word);
    transaction.contextCount++;
    if (reason) onQuarantine('context', reason);
  }

  /** Records the probe that a transaction carries, with its commit. Returns whether it did. */
  appendProbe({ probe, finalLsn, committedAtMicros }: OpenTransaction): boolean {
    if (probe === undefined || !this.#probeLimit.take()) return false;
    const committedAt = timeText(committedAtMicros);
    const payload = { event: 'probe', token: probe, lsn: formatLsn(finalLsn), committedAt };
    this.#batch.event('lifecycle', nowMicros(), undefined, JSON.stringify(payload));
    return true;
  }

  /** What the source says that DDL did: an event at its place in the transaction, whatever is wrong with it. */
  #ddl(transaction: OpenTransaction, lsn: Lsn, content: Buffer): void {
    const { holdsTrail, readContext, shapes, onQuarantine, onChange, onDdl } = this.#options;
    const ddl = readDdl(content, readContext);
    if (holdsTrail && ddl.onlySchema === trailSchema) return;
    for (const table of ddl.tables) shapes.told(table);
    if (transaction.isRepeated) return;
    if (transaction.isContextPending) this.addContext(transaction);
    const payload = ddlPayload(content, ddl, {
      xid: transaction.xid,
      commitLsn: transaction.finalLsn,
      lsn,
      contextNumber: contextNumber(transaction),
    });
    this.#batch.event('ddl', transaction.committedAtMicros, undefined, payload);
    transaction.ddlCount++;
    if (ddl.reason !== undefined) onQuarantine('ddl', ddl.reason);
    onDdl(ddl, transaction.finalLsn);
    onChange();
  }
}

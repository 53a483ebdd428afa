import type { Authenticity } from '@bemi-db/proof/record';
import { recentContextEnds } from '@bemi-db/trail/context-keys';
import type pg from 'pg';
import { nowMicros, postgresMicros } from '../clock.ts';
import { NonceMemory } from './nonce-memory.ts';
import { findSignature, isSignedWith, parseSignature, signatureLength } from './signed-context.ts';

/** A message may be this much older than its transaction's commit: transactions last, and clocks differ. */
const oldestMinutes = 15;
/** And this much younger: clocks differ. */
const youngestMinutes = 5;
const microsPerMinute = 60_000_000n;
const oldestMicros = BigInt(oldestMinutes) * microsPerMinute;
const youngestMicros = BigInt(youngestMinutes) * microsPerMinute;
/** For so long a message's nonce is remembered: before, the message may count; after, it is stale. */
const rememberedMinutes = oldestMinutes + youngestMinutes;

/** The keys that a reader knows. */
export interface KnownKeys {
  /** Whether there is one at all by which a context could be authentic. */
  readonly hasUsable: boolean;
  /** The key with an id, if it counts for what was committed at a time. */
  find(id: string, committedAtMicros: bigint): string | undefined;
}

/** What is looked at of a transaction. */
export interface JudgedTransaction {
  readonly committedAtMicros: bigint;
  /** Nonces of its contexts: the same message again within a transaction is no replay. */
  nonces: Set<string> | undefined;
}

/**
 * Says of each context how authentic it is, by docs/spec/context-message.md.
 *
 * The nonces of the last 20 minutes are in memory. Minutes are those of the source's commits, so a backlog is judged as it
 * would have been when it came; the worker's own clock only keeps a source whose clock jumps ahead from making it forget.
 * A new session reads them back from the contexts that are recorded: a transaction that the source sends again is not
 * judged again, so its nonces being there is no replay.
 */
export class ContextAuthenticity {
  readonly #keys: KnownKeys;
  readonly #database: Buffer;
  readonly #nonces: NonceMemory;

  /** @param database - the source database's name, as it calls itself. */
  constructor(keys: KnownKeys, database: string, nonces = new NonceMemory()) {
    this.#keys = keys;
    this.#database = Buffer.from(database);
    this.#nonces = nonces;
  }

  /** Reads the nonces of what is recorded, where there is a key by which one would count. */
  async load(client: pg.ClientBase, log: number): Promise<void> {
    if (!this.#keys.hasUsable) return;
    // A little more than is remembered: commits are not quite in the order of their times.
    for await (const ends of recentContextEnds(client, log, rememberedMinutes + 5, signatureLength)) {
      for (const end of ends) {
        const signature = parseSignature(end);
        const timeMs = signature ? timeOf(signature.time) : Number.NaN;
        if (signature && !Number.isNaN(timeMs)) this.#nonces.add(signature.nonce, timeMs);
      }
    }
  }

  /**
   * @param text - as it is stored.
   * @param claims - whether the object has a member `_bemi` at its top.
   */
  judge(text: Buffer, claims: boolean, transaction: JudgedTransaction): Authenticity {
    if (!claims || !this.#keys.hasUsable) return 'unsigned';
    const signature = findSignature(text);
    if (!signature) return 'forged';
    const { committedAtMicros } = transaction;
    const apiKey = this.#keys.find(signature.keyId, committedAtMicros);
    if (apiKey === undefined) return 'unsigned';
    if (!isSignedWith(text, signature, apiKey, this.#database)) return 'forged';
    const timeMs = timeOf(signature.time);
    if (!isTimely(timeMs, committedAtMicros)) return 'stale';
    this.#forget(committedAtMicros);
    const { nonce } = signature;
    if (transaction.nonces?.has(nonce)) return 'authentic';
    if (timeMs < this.#nonces.forgottenBeforeMs) return 'stale';
    if (!this.#nonces.add(nonce, timeMs)) return 'replayed';
    transaction.nonces ??= new Set();
    transaction.nonces.add(nonce);
    return 'authentic';
  }

  #forget(committedAtMicros: bigint): void {
    const now = nowMicros();
    const reference = committedAtMicros < now ? committedAtMicros : now;
    this.#nonces.forgetBefore(Number((reference - postgresMicros(0)) / 1000n) - rememberedMinutes * 60_000);
  }
}

function isTimely(timeMs: number, committedAtMicros: bigint): boolean {
  if (Number.isNaN(timeMs)) return false;
  const ahead = postgresMicros(timeMs) - committedAtMicros;
  return ahead <= youngestMicros && -ahead <= oldestMicros;
}

/** NaN for what is no time, such as the 30th of February. */
function timeOf(text: string): number {
  const ms = Date.parse(text);
  return Number.isNaN(ms) || new Date(ms).toISOString() !== text ? Number.NaN : ms;
}

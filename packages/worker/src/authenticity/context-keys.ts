import { readContextKeys, readSealedKey } from '@bemi-db/trail/context-keys';
import type { InboxRequest } from '@bemi-db/trail/inbox';
import { isPlainText, requestMembers } from '@bemi-db/trail/request-payload';
import type pg from 'pg';
import { postgresMicros } from '../clock.ts';
import type { KnownKeys } from './context-authenticity.ts';
import { apiKeyId, openApiKey } from './sealed-key.ts';

interface KnownKey {
  /** `undefined` where it can't be opened: its messages are as those of a key that is not known. */
  readonly apiKey: string | undefined;
  readonly revokedAtMicros: bigint | undefined;
}

/** What the log says of a key, docs/spec/log.md. */
type KeyEvent =
  | { event: typeof created; id: string; name?: string; createdAt: string; by?: string }
  | { event: typeof revoked; id: string; revokedAt: string; by?: string };

const created = 'context-key-created';
const revoked = 'context-key-revoked';
/** Ten years: who wants longer has no plan. */
const longestDelaySeconds = 315_360_000;

/**
 * The keys of a log, as its events say. A key counts from its event on: what the stream brings after that was appended is
 * judged by it, so the log itself says which keys counted when.
 */
export class ContextKeys implements KnownKeys {
  readonly #logId: string;
  readonly #encryptionKey: Buffer | undefined;
  readonly #keys = new Map<string, KnownKey>();
  /** Opened, and not in the log yet. */
  readonly #opened = new Map<string, string>();

  constructor(logId: string, encryptionKey: Buffer | undefined) {
    this.#logId = logId;
    this.#encryptionKey = encryptionKey;
  }

  /** Reads what the log says of keys before a session begins. */
  async load(client: pg.ClientBase, log: number): Promise<void> {
    for (const { id, revokedAt } of await readContextKeys(client, log)) {
      this.#keys.set(id, {
        apiKey: await this.#open(client, log, id),
        revokedAtMicros: revokedAt === undefined ? undefined : microsOf(revokedAt),
      });
    }
  }

  get count(): number {
    return this.#keys.size;
  }

  /** How many of them can't be opened: without BEMI_ENCRYPTION_KEY all, with another one those that it did not seal. */
  get closedCount(): number {
    return [...this.#keys.values()].filter(({ apiKey }) => apiKey === undefined).length;
  }

  get hasUsable(): boolean {
    return this.closedCount < this.count;
  }

  find(id: string, committedAtMicros: bigint): string | undefined {
    const key = this.#keys.get(id);
    if (key?.revokedAtMicros !== undefined && committedAtMicros >= key.revokedAtMicros) return undefined;
    return key?.apiKey;
  }

  /**
   * What becomes of a request for a `config` event: the event's payload, or why there is none. Requests that have nothing
   * to do with keys are none of ours.
   */
  async judge(
    client: pg.ClientBase,
    log: number,
    request: InboxRequest,
  ): Promise<{ readonly payload: string } | { readonly refusal: string }> {
    const members = requestMembers(request.payload);
    const { event, id, by } = members;
    if (typeof event !== 'string' || !event.startsWith('context-key-')) return { payload: request.payload };
    if (typeof id !== 'string' || !/^[A-Za-z0-9]{8}$/.test(id))
      return { refusal: 'the id of a key is 8 letters and digits' };
    const answers = isPlainText(by) ? { by } : {};
    if (event === created) return this.#judgeCreation(client, log, id, { ...members, ...answers });
    if (event !== revoked) return { refusal: `${event} is not what can be asked for` };
    if (!this.#keys.has(id)) return { refusal: `there is no key ${id}` };
    const seconds = members['afterSeconds'] ?? 0;
    if (!Number.isInteger(seconds) || Number(seconds) < 0 || Number(seconds) > longestDelaySeconds)
      return { refusal: 'a key is revoked after a whole number of seconds, ten years at most' };
    const revokedAt = new Date(Date.now() + Number(seconds) * 1_000).toISOString();
    return payloadOf({ event, id, revokedAt, ...answers });
  }

  async #judgeCreation(
    client: pg.ClientBase,
    log: number,
    id: string,
    { name, by }: { readonly name?: unknown; readonly by?: string },
  ): Promise<{ readonly payload: string } | { readonly refusal: string }> {
    if (this.#keys.has(id)) return { refusal: `there is a key ${id} already` };
    if (!this.#encryptionKey)
      return { refusal: 'the worker has no BEMI_ENCRYPTION_KEY: set it there, and start the worker again' };
    const apiKey = await this.#open(client, log, id);
    // Who may write to the audit database could else put a key of his own there.
    if (apiKey === undefined)
      return { refusal: `the key ${id} is not encrypted with the BEMI_ENCRYPTION_KEY of the worker` };
    this.#opened.set(id, apiKey);
    const createdAt = new Date().toISOString();
    return payloadOf({
      event: created,
      id,
      ...(isPlainText(name) ? { name } : {}),
      createdAt,
      ...(by === undefined ? {} : { by }),
    });
  }

  /** Does what an event says, at the moment at which it is appended. */
  apply(payload: string): void {
    const event = requestMembers(payload) as unknown as KeyEvent;
    if (event.event === created && !this.#keys.has(event.id)) {
      this.#keys.set(event.id, { apiKey: this.#opened.get(event.id), revokedAtMicros: undefined });
      this.#opened.delete(event.id);
    } else if (event.event === revoked) {
      const key = this.#keys.get(event.id);
      if (!key) return;
      const at = microsOf(event.revokedAt);
      const before = key.revokedAtMicros;
      this.#keys.set(event.id, {
        ...key,
        revokedAtMicros: before !== undefined && before < at ? before : at,
      });
    }
  }

  async #open(client: pg.ClientBase, log: number, id: string): Promise<string | undefined> {
    const sealed = this.#encryptionKey && (await readSealedKey(client, log, id));
    if (!sealed || !this.#encryptionKey) return undefined;
    const apiKey = openApiKey(sealed, this.#encryptionKey, this.#logId, id);
    return apiKey !== undefined && apiKeyId(apiKey) === id ? apiKey : undefined;
  }
}

function payloadOf(event: KeyEvent): { readonly payload: string } {
  return { payload: JSON.stringify(event) };
}

/** Of RFC 3339 in UTC, down to milliseconds. */
function microsOf(time: string): bigint {
  return postgresMicros(Date.parse(time));
}

/**
 * The nonces of the messages that were recorded lately, so that none counts twice.
 *
 * They are kept by the minute that their message says, which is signed: a message that comes again says the same one.
 * 64 of a nonce's 128 random bits tell it from others (two of four million are alike once in 2,000,000 such memories),
 * in 8 bytes and a free place beside them: four million nonces take less than 100 MB, and a thousand next to nothing.
 */
export class NonceMemory {
  readonly #capacity: number;
  readonly #minutes = new Map<number, NonceSet>();
  #size = 0;
  #forgottenBefore = Number.NEGATIVE_INFINITY;

  /** @param capacity - how many at most; then the oldest minute is forgotten. */
  constructor(capacity = 4_000_000) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** Of a message that says an earlier time, nobody can tell any more whether it was there before. */
  get forgottenBeforeMs(): number {
    return this.#forgottenBefore * minuteMs;
  }

  has(nonce: string, timeMs: number): boolean {
    return this.#minutes.get(minuteOf(timeMs))?.has(nonce) ?? false;
  }

  /** Returns whether it was not there. */
  add(nonce: string, timeMs: number): boolean {
    const minute = minuteOf(timeMs);
    let nonces = this.#minutes.get(minute);
    if (!nonces) {
      nonces = new NonceSet();
      this.#minutes.set(minute, nonces);
    }
    if (!nonces.add(nonce)) return false;
    this.#size++;
    if (this.#size > this.#capacity) this.#forgetMinutes(Math.min(...this.#minutes.keys()) + 1);
    return true;
  }

  /** Forgets the messages that say an earlier time: whole minutes of them. */
  forgetBefore(timeMs: number): void {
    const minute = minuteOf(timeMs);
    if (minute > this.#forgottenBefore) this.#forgetMinutes(minute);
  }

  #forgetMinutes(before: number): void {
    this.#forgottenBefore = Math.max(this.#forgottenBefore, before);
    for (const [minute, nonces] of this.#minutes) {
      if (minute >= before) continue;
      this.#minutes.delete(minute);
      this.#size -= nonces.size;
    }
  }
}

const minuteMs = 60_000;

function minuteOf(timeMs: number): number {
  return Math.floor(timeMs / minuteMs);
}

/** A set by open addressing, without an object for each member. */
class NonceSet {
  /** Two places for each member; both 0 where there is none. */
  #words = new Uint32Array(2 * 64);
  size = 0;

  has(nonce: string): boolean {
    const [low, high] = wordsOf(nonce);
    const at = this.#find(low, high);
    return this.#words[at] !== 0 || this.#words[at + 1] !== 0;
  }

  add(nonce: string): boolean {
    const [low, high] = wordsOf(nonce);
    const at = this.#find(low, high);
    if (this.#words[at] !== 0 || this.#words[at + 1] !== 0) return false;
    this.#words[at] = low;
    this.#words[at + 1] = high;
    this.size++;
    // Kept at most two thirds full.
    if (3 * this.size > this.#words.length) this.#grow();
    return true;
  }

  /** Where it is, or would be. */
  #find(low: number, high: number): number {
    const mask = this.#words.length / 2 - 1;
    let place = low & mask;
    for (;;) {
      const at = 2 * place;
      const there = this.#words[at];
      const thereToo = this.#words[at + 1];
      if ((there === 0 && thereToo === 0) || (there === low && thereToo === high)) return at;
      place = (place + 1) & mask;
    }
  }

  #grow(): void {
    const words = this.#words;
    this.#words = new Uint32Array(2 * words.length);
    for (let at = 0; at < words.length; at += 2) {
      const low = words[at]!;
      const high = words[at + 1]!;
      if (low === 0 && high === 0) continue;
      const to = this.#find(low, high);
      this.#words[to] = low;
      this.#words[to + 1] = high;
    }
  }
}

function wordsOf(nonce: string): readonly [number, number] {
  const bytes = Buffer.from(nonce, 'base64url');
  const low = bytes.readUInt32LE(0);
  const high = bytes.readUInt32LE(4);
  return [low, low === 0 && high === 0 ? 1 : high];
}

interface Announcement {
  readonly payload: object;
  /** Of the entry that this session has made of it. */
  sequence: number | undefined;
}

/** So many at most wait for a log that can't be written; the oldest go first. */
const limit = 1_000;

/**
 * What a worker's process has to say in its log (`lifecycle` events), kept until it is durable there: it may have to say
 * it while it can't record. Where the answer to a commit is lost it is said twice.
 */
export class Announcements {
  #waiting: Announcement[] = [];

  add(payload: object): void {
    this.#waiting.push({ payload, sequence: undefined });
    if (this.#waiting.length > limit) this.#waiting.shift();
  }

  /** Another session begins: what the last one could not commit is said again. */
  restart(): void {
    for (const announcement of this.#waiting) announcement.sequence = undefined;
  }

  /**
   * Makes entries of what this session has not said yet.
   *
   * @param make - returns the entry's sequence.
   * @returns whether there was something.
   */
  append(make: (payload: object) => number): boolean {
    const unsaid = this.#waiting.filter(({ sequence }) => sequence === undefined);
    for (const announcement of unsaid) announcement.sequence = make(announcement.payload);
    return unsaid.length > 0;
  }

  /** All entries before this one are durable. */
  durable(nextSequence: number): void {
    if (this.#waiting.length === 0) return;
    this.#waiting = this.#waiting.filter(
      ({ sequence }) => sequence === undefined || sequence >= nextSequence,
    );
  }
}

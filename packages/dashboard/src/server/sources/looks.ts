import { setTimeout as delay } from 'node:timers/promises';
import { ApiProblem } from '../api-problem.ts';

const mostAtOnce = 4;
/** A look that nobody waits for any more ends as soon as that is known. */
const patienceMs = 2_000;

/** Lets people look at databases that they name: one at a time for each asker, and few at once. */
export class Looks {
  readonly #ended = new Map<string, Promise<void>>();

  /** @throws ApiProblem 429 while this asker looks already, or many others do. */
  async by<T>(asker: string, look: () => Promise<T>): Promise<T> {
    const last = this.#ended.get(asker);
    if (last) await Promise.race([last, delay(patienceMs, undefined, { ref: false })]);
    if (this.#ended.has(asker) || this.#ended.size >= mostAtOnce)
      throw new ApiProblem(429, 'check-running', 'A check runs already', 'Try again when it is over.');
    let end: () => void = () => undefined;
    this.#ended.set(
      asker,
      new Promise((resolve) => {
        end = resolve;
      }),
    );
    try {
      return await look();
    } finally {
      this.#ended.delete(asker);
      end();
    }
  }
}

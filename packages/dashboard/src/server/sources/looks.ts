import { ApiProblem } from '../api-problem.ts';

const mostAtOnce = 4;

/** Lets people look at databases that they name: one at a time for each asker, and few at once. */
export class Looks {
  readonly #asking = new Set<string>();

  /** @throws ApiProblem 429 while this asker looks already, or many others do. */
  async by<T>(asker: string, look: () => Promise<T>): Promise<T> {
    if (this.#asking.has(asker) || this.#asking.size >= mostAtOnce)
      throw new ApiProblem(429, 'check-running', 'A check runs already', 'Try again when it is over.');
    this.#asking.add(asker);
    try {
      return await look();
    } finally {
      this.#asking.delete(asker);
    }
  }
}

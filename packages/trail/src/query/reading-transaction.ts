import type pg from 'pg';

/** query_canceled */
const canceled = '57014';

/**
 * A read-only transaction whose statements see the same. One that takes too long is cancelled, and the next ones see the same
 * still, or, where the transaction had to be begun again, a longer log.
 */
export class ReadingTransaction {
  readonly #client: pg.ClientBase;
  readonly #isOuter: boolean;
  #timeoutMs = 0;

  /** @param isOuter - the client is in a transaction; it is in it still in the end, with the settings that it had. */
  constructor(client: pg.ClientBase, isOuter: boolean) {
    this.#client = client;
    this.#isOuter = isOuter;
  }

  /** Statements may take as long as they do, until a time is set. */
  async begin(): Promise<void> {
    await this.#client.query(
      `${this.#isOuter ? 'SAVEPOINT bemi_search' : begin}; ${planning}; SET LOCAL statement_timeout = ${this.#timeoutMs}`,
    );
  }

  /** @param timeoutMs - of each statement, 0 for none. */
  async setTimeout(timeoutMs: number): Promise<void> {
    this.#timeoutMs = Math.ceil(timeoutMs);
    await this.#client.query(`SET LOCAL statement_timeout = ${this.#timeoutMs}`);
  }

  async end(): Promise<void> {
    await this.#client.query(
      this.#isOuter ? 'ROLLBACK TO SAVEPOINT bemi_search; RELEASE SAVEPOINT bemi_search' : 'ROLLBACK',
    );
  }

  /** @returns `undefined` where it took too long. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    const startedAt = performance.now();
    try {
      return await work();
    } catch (error) {
      const isCanceled = error instanceof Error && 'code' in error && error.code === canceled;
      // Cancelled by somebody else, if it is earlier.
      if (!isCanceled || this.#timeoutMs === 0 || performance.now() - startedAt < this.#timeoutMs)
        throw error;
      await this.end();
      await this.begin();
      return undefined;
    }
  }
}

const begin = 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY';

/**
 * What is looked for is a small part of a large table, always by an index: the planner knows too little of documents to tell.
 * The primary key of the index of changes is for single rows; to read it whole, beside the other index, is a hundred times dearer
 * than what that saves. And to compile a plan takes longer than to run it.
 */
const planning = [
  ...[
    'jit = off',
    'enable_seqscan = off',
    'max_parallel_workers_per_gather = 0',
    'cpu_index_tuple_cost = 0.1',
  ],
]
  .map((setting) => `SET LOCAL ${setting}`)
  .join('; ');

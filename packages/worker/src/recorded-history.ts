import { type Lsn, parseLsn } from '@bemi-db/replication/lsn';
import type { RecordedTransaction } from '@bemi-db/trail/sources';

/**
 * The transactions that the log already holds from where the slot starts sending: what is sent again must be the
 * same. Read in pages and in commit order, as the stream comes, so that a slot that lags far behind costs no memory.
 */
export class RecordedHistory {
  readonly #readPage: (fromLsn: Lsn) => Promise<RecordedTransaction[]>;
  #page = new Map<Lsn, RecordedTransaction[]>();
  #pageEnd: Lsn | undefined;

  /** @param readPage - recorded transactions with commit LSN at or after a position, oldest first; empty at the end. */
  constructor(readPage: (fromLsn: Lsn) => Promise<RecordedTransaction[]>) {
    this.#readPage = readPage;
  }

  /** Whether `find` can answer for this position without reading. */
  covers(finalLsn: Lsn): boolean {
    return this.#pageEnd !== undefined && finalLsn <= this.#pageEnd;
  }

  /** Reads the page that begins at this position. */
  async read(finalLsn: Lsn): Promise<void> {
    const transactions = await this.#readPage(finalLsn);
    this.#page = new Map();
    for (const transaction of transactions) {
      const commitLsn = parseLsn(transaction.commitLsn);
      this.#page.set(commitLsn, [...(this.#page.get(commitLsn) ?? []), transaction]);
    }
    const last = transactions.at(-1);
    this.#pageEnd = last ? parseLsn(last.commitLsn) : finalLsn;
  }

  /** What is recorded there: one transaction, or, where a source was restored, perhaps one in each generation. */
  find(finalLsn: Lsn): readonly RecordedTransaction[] {
    return this.#page.get(finalLsn) ?? [];
  }
}

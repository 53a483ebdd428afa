import { type LogResource, readLogResource } from '@bemi-db/trail/tree/log-resource';
import { readRecords } from '@bemi-db/trail/tree/stored-records';
import { readFullTiles } from '@bemi-db/trail/tree/stored-tree';
import type { OpenConnection } from '../connections.ts';
import type { FullTiles } from './offered-tree.ts';
import type { Records } from './record-publication.ts';

/**
 * Reads what is published from the audit database, one thing after the other, on a connection of its own: neither the
 * writer nor the upkeep waits for it.
 */
export class AuditReader {
  readonly #connection: OpenConnection;
  readonly #log: number;
  #last: Promise<unknown> = Promise.resolve();

  constructor(connection: OpenConnection, log: number) {
    this.#connection = connection;
    this.#log = log;
  }

  readonly fullTiles: FullTiles = (level, fromIndex, toIndex) =>
    this.#next(() => readFullTiles(this.#connection.client, this.#log, level, fromIndex, toIndex));

  readonly records: Records = (from, to) =>
    this.#next(() => readRecords(this.#connection.client, this.#log, from, to));

  resource(path: string): Promise<LogResource | undefined> {
    return this.#next(() => readLogResource(this.#connection.client, this.#log, path));
  }

  clock(): Promise<Date> {
    return this.#next(async () => {
      const { rows } = await this.#connection.client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
      return rows[0]!.now;
    });
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work, work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

import type { Authenticity, BeforeKind, Operation } from '@bemi-db/proof/record';

/**
 * A recorded change as it is read back. Row values and context are JSON **texts**, exactly as recorded: parsing them
 * would round numbers beyond 2^53. Sequence, transaction id and position are decimal or LSN texts for the same reason.
 */
export interface Change {
  readonly sequence: string;
  readonly operation: Operation;
  /** Of a partition: the schema and name of the table at its root. */
  readonly schema: string;
  readonly table: string;
  /** The text of the key's one column, or a JSON array of texts; `undefined` where the table has no key. */
  readonly primaryKey: string | undefined;
  /** What `before` is: the whole old row, the columns of its replica identity, or nothing. */
  readonly beforeKind: BeforeKind;
  /** JSON text of an object. */
  readonly before: string | undefined;
  /** JSON text of an object. */
  readonly after: string | undefined;
  /** Names of the columns that an UPDATE changed, in the table's order; `undefined` where that is not known. */
  readonly changed: readonly string[] | undefined;
  /** JSON text of an object: what the application said, without what makes it authentic. */
  readonly context: string | undefined;
  /** What is known of who wrote the context; `undefined` where there is none. */
  readonly authenticity: Authenticity | undefined;
  /**
   * JSON text: what a trigger in the source says of the database user, an object, or an array of objects where several
   * messages contradict each other. `undefined` where no trigger said anything. Never part of the context.
   */
  readonly actor: string | undefined;
  /** When the source transaction committed: ISO 8601 in UTC, with microseconds. */
  readonly timestamp: string;
  /** The source's transaction id. Not unique for ever: PostgreSQL reuses them. */
  readonly transactionId: string;
  /** Sequence of the transaction's first entry: its identity. */
  readonly transaction: string;
  /** LSN of the change. */
  readonly position: string;
  /** Why the row is in quarantine instead of in `before` and `after`, if it is. */
  readonly rowQuarantine: string | undefined;
  /** Why the context is in quarantine, if it is. */
  readonly contextQuarantine: string | undefined;
  /** Key, `before` and `after` were erased: they are `undefined`, and were not always so. */
  readonly erased: boolean;
  /** The context was erased. */
  readonly contextErased: boolean;
  /** The actor was erased. */
  readonly actorErased: boolean;
}

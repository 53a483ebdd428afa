/** A row of the table that the cases write: see `item-table.ts`. */
export interface Item {
  readonly id: number;
  /** Unique. */
  readonly name: string;
  /** Not negative. */
  readonly quantity: number;
}

/** Why a library can't do something. */
export interface NotOffered {
  readonly notOffered: string;
}

/**
 * What the cases ask of a library. Each is done in the way that an application would choose, and what is returned is
 * what the library returns: where its queries begin only when they are awaited, nothing has begun yet.
 */
export interface ItemWrites {
  create(item: Item): PromiseLike<unknown>;
  createMany(items: readonly Item[]): PromiseLike<unknown>;
  update(id: number, quantity: number): PromiseLike<unknown>;
  delete(id: number): PromiseLike<unknown>;
  /** Inserts the item; if its id is taken, gives that one the quantity. */
  upsert(item: Item): PromiseLike<unknown>;
  read(id: number): PromiseLike<unknown>;
  /** Runs SQL text. */
  raw(sql: string): PromiseLike<unknown>;
}

export interface OpenTransaction extends ItemWrites {
  /** The library's own nested transaction: rolled back alone when the work throws. */
  readonly nested: ((work: (inner: OpenTransaction) => Promise<void>) => PromiseLike<unknown>) | NotOffered;
}

export interface ClientUnderTest extends ItemWrites {
  /** Rolled back when the work throws. */
  transaction(work: (transaction: OpenTransaction) => Promise<void>): PromiseLike<unknown>;
  /** Creates the items by several statements in one transaction, which the library opens by itself. */
  readonly batch: ((items: readonly Item[]) => PromiseLike<unknown>) | NotOffered;
  close(): Promise<unknown>;
}

/** A library with Bemi, as docs/context.md says to set it up. */
export interface Adapter {
  connect(url: string): Promise<ClientUnderTest>;
}

export function isNotOffered(way: object): way is NotOffered {
  return 'notOffered' in way;
}

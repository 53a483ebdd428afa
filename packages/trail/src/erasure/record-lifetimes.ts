/** A change of a record, as far as its life goes. */
export interface LifeEvent {
  readonly sequence: number;
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE';
  /** The key that the record has after the change; of a DELETE, had before it. */
  readonly key: string;
  /** Of an UPDATE that changed the key: the key before. */
  readonly oldKey: string | undefined;
}

/** Entries of one record under one key: from and to are sequences, both inclusive. */
export interface Lifetime {
  readonly key: string;
  readonly from: number;
  readonly to: number;
}

/** The UPDATEs that changed a key, and what happened under each key that is asked for. */
export interface RecordLives {
  /** UPDATEs of this table that changed a key from `key` or to `key`, in ascending order. */
  keyChanges(key: string): readonly LifeEvent[];
  /** INSERTs, DELETEs and UPDATEs with this key, in ascending order. */
  changesOf(key: string): Promise<readonly LifeEvent[]>;
}

const never = Number.MAX_SAFE_INTEGER;

/**
 * The lifetimes of everything that was ever recorded under a key, through changes of the key in both directions.
 *
 * A key may be used again: `A` becomes `B`, and then another record becomes `A`. Under the key that was asked for all is
 * meant. Under a key that is only found by following, no more than that one record: back to where it came to that key
 * (an INSERT, an UPDATE to it), and on to where it left it (a DELETE, an UPDATE to another).
 */
export async function recordLifetimes(lives: RecordLives, key: string): Promise<Lifetime[]> {
  const found = new Map<string, Lifetime>();
  const open: Lifetime[] = [{ key, from: 0, to: never }];
  for (let lifetime = open.pop(); lifetime; lifetime = open.pop()) {
    const name = `${lifetime.from} ${lifetime.to} ${lifetime.key}`;
    if (found.has(name)) continue;
    found.set(name, lifetime);
    for (const change of lives.keyChanges(lifetime.key)) {
      if (change.sequence < lifetime.from || change.sequence > lifetime.to) continue;
      if (change.key === lifetime.key) open.push(await lifetimeBefore(lives, change));
      if (change.oldKey === lifetime.key) open.push(await lifetimeAfter(lives, change));
    }
  }
  return [...found.values()];
}

/** The record's life under the key that an UPDATE took from it. */
async function lifetimeBefore(lives: RecordLives, { oldKey, sequence }: LifeEvent): Promise<Lifetime> {
  const key = oldKey!;
  let from = 0;
  for (const change of await eventsOf(lives, key)) {
    if (change.sequence >= sequence) break;
    if (change.operation === 'INSERT' || (change.key === key && change.oldKey !== undefined))
      from = change.sequence;
    // What ended there was another record.
    else if (change.operation === 'DELETE' || change.oldKey === key) from = change.sequence + 1;
  }
  return { key, from, to: sequence };
}

/** The record's life under the key that an UPDATE gave it. */
async function lifetimeAfter(lives: RecordLives, { key, sequence }: LifeEvent): Promise<Lifetime> {
  for (const change of await eventsOf(lives, key)) {
    if (change.sequence <= sequence) continue;
    if (change.operation === 'DELETE' || change.oldKey === key)
      return { key, from: sequence, to: change.sequence };
    if (change.operation === 'INSERT' || change.oldKey !== undefined)
      return { key, from: sequence, to: change.sequence - 1 };
  }
  return { key, from: sequence, to: never };
}

/** What happened under a key, its end by an UPDATE to another included. */
async function eventsOf(lives: RecordLives, key: string): Promise<LifeEvent[]> {
  const events = new Map<number, LifeEvent>();
  for (const change of await lives.changesOf(key)) events.set(change.sequence, change);
  // Of these the key before is known.
  for (const change of lives.keyChanges(key)) events.set(change.sequence, change);
  return [...events.values()].sort((a, b) => a.sequence - b.sequence);
}

export interface WriteOptions {
  readonly contentType: string;
  /** Nothing else will ever stand under this path. */
  readonly isImmutable: boolean;
  /** Worth keeping from deletion for years, where the target can: full tiles and old checkpoints. */
  readonly isRetained: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A place that holds files, out of reach of whoever controls the audit database. */
export interface PublicationTarget {
  readonly kind: 'files';
  /** For people: never credentials. */
  readonly name: string;
  /** Whether it is another machine than this one. A directory never counts: what is mounted there isn't known. */
  readonly isOffHost: boolean;
  /** Least time between two checkpoints there, where its URL names one. */
  readonly minIntervalMs: number | undefined;
  /** Whether records are published there beside tiles and checkpoints. */
  readonly hasRecords: boolean;
  /**
   * @throws ProblemError where the target can't be read: only what is known to be absent is `undefined`.
   */
  read(path: string, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /**
   * @returns `present` where something stands under an immutable path already; it was not touched, and may be something
   * else. A target that can't tell writes it again.
   * @throws ProblemError
   */
  write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<'written' | 'present'>;
  /** Makes what was written durable, before a checkpoint names it. Absent where each write is. */
  settle?(): Promise<void>;
  /** Removes files that nothing names any more. Absent where nothing should ever be deleted. */
  removeFolder?(path: string): Promise<void>;
}

export const noteType = 'text/plain; charset=utf-8';
export const tileType = 'application/octet-stream';

/** How the source was doing at one moment. Sizes in bytes; `undefined` where this role or version can't see it. */
export interface SourceReading {
  /** Of this process, in ms; only differences mean something. */
  readonly atMs: number;
  readonly walLsn: bigint | undefined;
  readonly slot: SlotReading | undefined;
  /** `max_slot_wal_keep_size`; `undefined` where there is no limit. */
  readonly keepLimitBytes: number | undefined;
}

export interface SlotReading {
  readonly isActive: boolean;
  readonly confirmedLsn: bigint | undefined;
  /** WAL that the slot has not confirmed. */
  readonly lagBytes: number | undefined;
  /** WAL that the server keeps for it. */
  readonly retainedBytes: number | undefined;
  /** `reserved`, `extended`, `unreserved` or `lost`. */
  readonly walStatus: string | undefined;
  /** What may still be written before the slot is in danger. */
  readonly safeBytes: number | undefined;
}

/** How the log and its database were doing at one moment. */
export interface AuditReading {
  readonly atMs: number;
  readonly databaseBytes: number;
  readonly entries: number;
  readonly quarantinedRows: number;
  readonly quarantinedContexts: number;
  /** Since the last checkpoint was signed, by the audit database's clock; `undefined` before the first. */
  readonly checkpointAgeSeconds: number | undefined;
}

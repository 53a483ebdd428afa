/** Who may do what in the audit database. */
export interface TrailRoles {
  /** Owns the schema `bemi` and all in it. Nobody logs in as it; made with NOLOGIN. */
  readonly owner: string;
  /** The worker's: reads everything, inserts into the log, and calls the functions that keep it up. */
  readonly writer: string;
  /** Reads everything but what is sealed (the applications' keys, how to sign in at sources), and writes nothing. */
  readonly reader: string;
  /** Keeps the dashboard's accounts, in a schema of its own, `bemi_accounts`, and may do nothing to the trail. */
  readonly accounts: string;
}

/** What `bemi setup --destination` makes. */
export const defaultTrailRoles: TrailRoles = {
  owner: 'bemi_owner',
  writer: 'bemi_writer',
  reader: 'bemi_reader',
  accounts: 'bemi_accounts',
};

/** Roles as they are wanted, with the passwords of those that are new. */
export interface WantedTrailRoles extends TrailRoles {
  readonly writerPassword: string;
  readonly readerPassword: string;
  readonly accountsPassword: string;
}

/**
 * Tables of the schema that the writer inserts into. It updates and deletes in none, and writes to others through
 * functions (see sql/0002_append_only.sql).
 */
export const writerInserts = [
  'change_log',
  'context_log',
  'transaction_log',
  'event_log',
  'quarantine',
  'relations',
  'tiles',
  'inbox',
  'context_secrets',
] as const;

/** Tables that the writer alone may read. */
export const writerReads = ['context_secrets', 'source_secrets'] as const;

/**
 * Functions that run as the owner and that everybody who may use the schema may call: they look for themselves at who asks.
 */
export const openFunctions = ['request_access'] as const;

/** The roles can't be made, or would not keep anybody out. Nothing has been changed. */
export class TrailRolesError extends Error {
  override readonly name = 'TrailRolesError';
  /** Stable, in kebab-case. */
  readonly code: string;
  readonly fix: string;

  constructor(code: string, message: string, fix: string) {
    super(message);
    this.code = code;
    this.fix = fix;
  }
}

/** What somebody did. `live`: watched changes as they are recorded. `account` and `key`: changed who may; `source`: what is recorded. */
export type AccessKind =
  | 'search'
  | 'view'
  | 'export'
  | 'sign-in'
  | 'sign-out'
  | 'sign-in-failed'
  | 'account'
  | 'key'
  | 'source'
  | 'live';

/** By what it was done. */
export type AccessWay = 'cli' | 'dashboard' | 'api';

/** Who it was, by the asker's word: a person who signed in, or the operating system's user. */
export interface AccessPerson {
  /** Of the account, or the user's name. */
  readonly id?: string;
  readonly email?: string;
  readonly name?: string;
  /** The machine that the command ran on. */
  readonly host?: string;
}

export interface AccessedTable {
  /** Absent where the table was named without. */
  readonly schema?: string;
  readonly table: string;
}

/**
 * Somebody looked at audit data, or changed who may: an entry of the log of accesses (docs/spec/log.md, Accesses). It holds
 * names, and the key of a record; never a value that was searched for, and no free text.
 */
export interface Access {
  readonly what: AccessKind;
  readonly via: AccessWay;
  readonly by?: AccessPerson;
  /** Of the command line, such as `log`; of the dashboard, the page. */
  readonly command?: string;
  /** Name of the log that was looked at. */
  readonly log?: string;
  readonly tables?: readonly AccessedTable[];
  /** The record that was looked at: its primary key as a change has it. */
  readonly key?: string;
  /** The one entry that was looked at. */
  readonly sequence?: string;
  readonly operations?: readonly string[];
  /** What else it was filtered by, by name: `context.userId`, `after.email`, `text`. */
  readonly filters?: readonly string[];
  readonly since?: Date;
  readonly until?: Date;
  /** How many changes were shown, and between which sequences they lie. */
  readonly changes?: number;
  readonly firstSequence?: string;
  readonly lastSequence?: string;
  /** By the asker's clock. */
  readonly began?: Date;
  readonly ended?: Date;
  /** What takes long is said when it begins, and again when it ends; both have the same `id`. */
  readonly part?: 'begin' | 'end';
  readonly id?: string;
  readonly address?: string;
  readonly userAgent?: string;
  /** The account or key that was changed, by its id, or the source, by its name, and what became of it: `created`, `role-changed`, `revoked`. */
  readonly subject?: string;
  readonly action?: string;
}

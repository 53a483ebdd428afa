import type { Authenticity, Operation } from '@bemi-db/proof/record';

/** A table as the catalog writes it, case included; without `schema`, that name in any schema. */
export interface TableFilter {
  readonly schema?: string;
  readonly name: string;
}

/** One member of the context, by name (dots lead into nested objects) and by the text of its value. */
export interface ContextFilter {
  readonly key: string;
  readonly value: string;
}

/** A value in the row before or after a change. */
export interface ValueFilter {
  readonly column: string;
  /** Default: either. */
  readonly side?: 'before' | 'after';
  /** `is`: the value as text, or `null`. `contains`: this text is somewhere in it, in any case, as of `text`. */
  readonly operator: 'is' | 'contains';
  /** A number is compared as it was recorded: `1.10` is not `1.1`. `null` is SQL's, and not a column that isn't known. */
  readonly value: string | null;
}

/**
 * Which changes are wanted: those that satisfy everything that is given. Filters by values, changed columns and text have no
 * index: they look at each change that satisfies the others.
 */
export interface ChangeFilter {
  /** Any of these. */
  readonly tables?: readonly TableFilter[];
  /** As recorded; `recordKey` makes it. */
  readonly primaryKey?: string;
  /** Any of these. */
  readonly operations?: readonly Operation[];
  /** All of these. */
  readonly context?: readonly ContextFilter[];
  /** With a context that is one of these. */
  readonly authenticity?: readonly Authenticity[];
  /** Only those without a context, with an empty one, or with one in quarantine. */
  readonly withoutContext?: boolean;
  /** Who did it: a member of the context that names somebody (`actorMembers`), or of the database's actor, is this text. */
  readonly actor?: string;
  /** Committed at or after. */
  readonly since?: Date;
  /** Committed before. */
  readonly until?: Date;
  /** A transaction's identity: the sequence of its first entry. */
  readonly transaction?: string;
  /** The source's transaction id, as shown. PostgreSQL uses them again. */
  readonly transactionId?: string;
  /** Sequence greater than this, exclusive. */
  readonly after?: string;
  /** Sequence less than this, exclusive. */
  readonly before?: string;
  /** An UPDATE that changed any of these columns, as far as it is known. */
  readonly changedColumns?: readonly string[];
  /** All of these. */
  readonly values?: readonly ValueFilter[];
  /**
   * Somewhere in the key, a value, the context, the actor or the table's name, in any case; of letters beyond ASCII, as far as
   * the database's locale knows their cases.
   */
  readonly text?: string;
}

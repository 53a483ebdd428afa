/** What is used of `pg`'s Connection, from 8.11 on. */
export interface PgConnection {
  /** Text by the name of the prepared statement. */
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
  /** Sends a message. Its first byte is its type. */
  _send(message: Buffer): unknown;
  /** Sends Flush. */
  flush(): void;
  /** Called for each message of the server, with a name like `readyForQuery`. */
  emit(event: string, message?: unknown): boolean;
}

/**
 * A message of the server.
 *
 * @see https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export interface BackendMessage {
  /** CommandComplete: the tag. */
  readonly text?: string;
  /** DataRow: the values, as text. */
  readonly fields?: readonly (string | null)[];
  /** ReadyForQuery: I idle, T in a transaction, E in a failed one. */
  readonly status?: string;
  /** ErrorResponse: the SQLSTATE. */
  readonly code?: string;
  /** ErrorResponse: where in the text, in characters from 1. */
  position?: string | undefined;
}

/** What `pg`'s client puts in its queue: it writes its messages when `submit` is called. */
export interface PgSubmittable extends PgClosable {
  /** What a stream of `pg-query-stream` reads from. */
  readonly cursor?: PgClosable;
  /** @returns an error if it wrote nothing. */
  submit(connection: PgConnection): unknown;
}

/** A cursor. */
export interface PgClosable {
  close?: (...args: unknown[]) => unknown;
}

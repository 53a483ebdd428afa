import type { Connection } from 'pg';

/**
 * Several statements, COPY … FROM STDIN among them, sent to the server in one go, with all data: one round trip for a
 * whole audit transaction instead of two or three a statement, which measured 20 % of the time of a drain.
 *
 * The server reads the statements as one simple query. At each COPY it takes CopyData messages from what has already
 * been sent. If a statement fails, those after it are skipped, and messages that were meant for a COPY are ignored
 * ("Accept but ignore these messages" in PostgresMain); then comes the one ReadyForQuery.
 *
 * It is submitted to a `pg` client like a query, by the driver's interface for that (`Submittable`).
 *
 * @see https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export class CopyScript {
  readonly #text: string;
  readonly #data: readonly Buffer[];
  readonly #commandTags: string[] = [];
  #resolve: (commandTags: readonly string[]) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  #next: () => void = () => undefined;
  #isSent = false;
  #isAnswered = false;

  /** Resolves with the command tags of the statements, in order, when all have succeeded. */
  readonly finished: Promise<readonly string[]>;

  /**
   * @param statements - SQL, without semicolons; trusted text, as there are no parameters.
   * @param data - the stream of each COPY among them, in order.
   */
  constructor(statements: readonly string[], data: readonly Buffer[]) {
    this.#text = statements.join(';\n');
    this.#data = data;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /**
   * Sends all of it, also while the server still works on the script before. That one must then `submit` this one to
   * the client when it is done (see `followWith`), so that the driver gives it the server's answers.
   */
  send(connection: Connection): void {
    this.#isSent = true;
    const { stream } = connection;
    stream.cork();
    connection.query(this.#text);
    for (const data of this.#data) {
      const header = Buffer.allocUnsafe(headerLength);
      header[0] = tagCopyData;
      header.writeUInt32BE(data.length + 4, 1);
      stream.write(header);
      stream.write(data);
      stream.write(copyDone);
    }
    stream.uncork();
  }

  /** What the driver calls when it is this script's turn. */
  submit(connection: Connection): void {
    if (!this.#isSent) this.send(connection);
  }

  /** Whether the server has answered all of it, or refused it. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** Called as soon as the server has answered all of this script: before it can answer the next one. */
  followWith(next: () => void): void {
    this.#next = next;
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#commandTags.push(message.text);
  }

  handleError(error: Error): void {
    // The driver now forgets this script, and ReadyForQuery does not come here: nothing that follows is answered.
    this.#isAnswered = true;
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    this.#isAnswered = true;
    this.#next();
    this.#resolve(this.#commandTags);
  }

  // Results of SELECTs, which are called for their effect; and invitations to send what has been sent.
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handleCopyInResponse(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}

const headerLength = 5;
const tagCopyData = 0x64; // 'd'
const copyDone = Buffer.from([0x63, 0, 0, 0, 4]); // 'c'

import pg from 'pg';
import type { AppendUnit, InboxAnswer, QuarantineRow, Relocation } from './append-unit.ts';
import type { CopyBuffer } from './copy-buffer.ts';
import { copyColumns } from './copy-columns.ts';
import { CopyScript } from './copy-script.ts';

export interface LogWriterOptions {
  /** Nobody else uses it. */
  readonly client: pg.Client;
  readonly log: number;
  /** What `takeOver` returned. */
  readonly epoch: string;
}

/** SQLSTATE of `bemi.fence` when another writer has taken the log over. */
export const sqlStateTakenOver = 'BM001';
/** SQLSTATE of `bemi.fence` when the log does not end where the writer thinks. */
export const sqlStateOtherEnd = 'BM002';

/** A parameter of this size is still cheap to send; larger rows are kept in pieces. */
const quarantinePartBytes = 8 * 1024 * 1024;

/**
 * Writes units into the log, one audit transaction after the other. Each transaction first passes the fence; entries
 * and position become visible in one commit. After any error the transaction is lost and the writer useless: start
 * again from what the database holds.
 */
export class LogWriter {
  readonly #client: pg.Client;
  readonly #log: number;
  readonly #epoch: string;
  #isOpen = false;
  /** Pending while a unit's rare rows are inserted. */
  #preparing: Promise<void> | undefined;
  /** What was sent last. */
  #last: CopyScript | undefined;

  constructor({ client, log, epoch }: LogWriterOptions) {
    this.#client = client;
    this.#log = log;
    this.#epoch = epoch;
  }

  /** Whether an audit transaction is open, because a source transaction came in parts. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /**
   * Resolves when the unit is written and, if it has `progress`, durable. May be called again before that: the next
   * unit is then sent at once, and the server finds it when it has committed this one. If this one fails, so does the
   * next: in the transaction that has failed, or at the fence.
   */
  async append(unit: AppendUnit): Promise<void> {
    // A unit before this one still runs statements of its own, and is sent only after them.
    while (this.#preparing) await this.#preparing;
    const statements: string[] = [];
    const data: Buffer[] = [];
    if (!this.#isOpen) {
      statements.push('BEGIN', `SELECT bemi.fence(${this.#log}, ${this.#epoch}, ${unit.firstSequence})`);
    }
    this.#isOpen = unit.progress === undefined;
    if (hasRare(unit)) {
      let ready: () => void = () => undefined;
      this.#preparing = new Promise((resolve) => {
        ready = resolve;
      });
      try {
        await this.#last?.finished;
        if (statements.length > 0) await this.#run(statements.splice(0), []);
        await this.#insertRare(unit);
      } finally {
        this.#preparing = undefined;
        ready(); // whoever waits goes on after what is sent below, before this call first waits again
      }
    }
    const copies = {
      change_log: unit.changes,
      context_log: unit.contexts,
      transaction_log: unit.transactions,
      event_log: unit.events,
      tiles: unit.tiles,
    };
    for (const [table, buffer] of Object.entries(copies) as [keyof typeof copies, CopyBuffer][]) {
      if (buffer.rowCount === 0) continue;
      statements.push(`COPY bemi.${table} (${copyColumns[table]}) FROM STDIN (FORMAT binary)`);
      data.push(buffer.finished());
    }
    if (unit.head) {
      const { size, frontier, checkpoint } = unit.head;
      const hashes = Buffer.from(frontier).toString('hex');
      statements.push(
        `SELECT bemi.seal(${this.#log}, ${size}, '\\x${hashes}', ${pg.escapeLiteral(checkpoint)})`,
      );
    }
    if (unit.progress) {
      const { lastFinalLsn, confirmedLsn, timeline } = unit.progress;
      const lsns = [lastFinalLsn, confirmedLsn].map((lsn) => pg.escapeLiteral(lsn)).join(', ');
      statements.push(
        `SELECT bemi.advance(${this.#log}, ${unit.nextSequence}, ${lsns}, ${timeline})`,
        'COMMIT',
      );
    }
    if (statements.length > 0) await this.#run(statements, data);
  }

  /**
   * Lets the server see that the writer is there, when nothing is being written. Never throws: what keeps it from
   * answering keeps the next unit from being written.
   */
  async touch(): Promise<void> {
    if (this.#preparing || this.#last?.isAnswered === false) return;
    const done = (): void => {
      this.#preparing = undefined;
    };
    // A unit that comes meanwhile waits for the answer.
    this.#preparing = this.#client.query('SELECT 1').then(done, done);
    await this.#preparing;
  }

  /** Gives up what was written of a source transaction that will not be completed. */
  async rollback(): Promise<void> {
    if (!this.#isOpen) return;
    await this.#client.query('ROLLBACK');
    this.#isOpen = false;
  }

  async #run(statements: readonly string[], data: readonly Buffer[]): Promise<void> {
    const script = new CopyScript(statements, data);
    const before = this.#last;
    this.#last = script;
    if (before && !before.isAnswered) {
      script.send(this.#client.connection);
      before.followWith(() => this.#client.query(script));
      await before.finished;
    } else this.#client.query(script);
    const tags = await script.finished;
    // COMMIT of a transaction that has failed answers ROLLBACK, and is no error.
    if (statements.at(-1) === 'COMMIT' && tags.at(-1) !== 'COMMIT') {
      throw new Error(`The audit transaction ended with ${tags.at(-1)}`);
    }
  }

  /** What few units have: a table's first shape, quarantine, answers. */
  async #insertRare(unit: AppendUnit): Promise<void> {
    for (const row of unit.relations) {
      await this.#client.query(
        `INSERT INTO bemi.relations (log, relation, oid, schema_name, table_name, root_schema, root_table, document)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
        [
          this.#log,
          row.relation,
          row.oid,
          row.schema,
          row.table,
          row.rootSchema,
          row.rootTable,
          row.document,
        ],
      );
    }
    for (const row of unit.quarantine) await this.#insertQuarantine(row);
    for (const answer of unit.answers) await this.#answer(answer);
    if (unit.relocation) await this.#relocate(unit.relocation);
  }

  async #relocate(relocation: Relocation): Promise<void> {
    if (relocation.kind === 'skip') {
      await this.#client.query('SELECT bemi.skip_to($1, $2)', [this.#log, relocation.toLsn]);
      return;
    }
    const { generation, systemIdentifier, slot, publication, timeline, toLsn } = relocation;
    await this.#client.query('SELECT bemi.begin_generation($1, $2, $3, $4, $5, $6, $7)', [
      this.#log,
      generation,
      systemIdentifier,
      slot,
      publication,
      timeline,
      toLsn,
    ]);
  }

  /** What an event erases, holds or drops changes in the same commit that has the event. */
  async #answer({ id, sequence, effect }: InboxAnswer): Promise<void> {
    if (effect) {
      await this.#client.query('SELECT bemi.carry_out($1, $2, $3, $4)', [
        this.#log,
        effect.kind,
        sequence,
        effect.payload,
      ]);
    }
    await this.#client.query('SELECT bemi.answer($1, $2, $3)', [this.#log, id, sequence]);
  }

  async #insertQuarantine(row: QuarantineRow): Promise<void> {
    // At least one piece: no bytes at all are kept as such.
    const parts = Math.max(1, Math.ceil(row.bytes.length / quarantinePartBytes));
    for (let part = 0; part < parts; part++) {
      const offset = part * quarantinePartBytes;
      await this.#client.query(
        'INSERT INTO bemi.quarantine (log, sequence, part, field, reason, bytes) VALUES ($1, $2, $3, $4, $5, $6)',
        [
          this.#log,
          row.sequence,
          part,
          row.field,
          row.reason,
          row.bytes.subarray(offset, offset + quarantinePartBytes),
        ],
      );
    }
  }
}

function hasRare({ relations, quarantine, answers, relocation }: AppendUnit): boolean {
  return relations.length + quarantine.length + answers.length > 0 || relocation !== undefined;
}

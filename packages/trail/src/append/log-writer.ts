import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { AppendUnit, QuarantineRow } from './append-unit.ts';
import type { CopyBuffer } from './copy-buffer.ts';
import { copyColumns } from './entry-batch.ts';
import { saltLength } from './salt.ts';

/** A parameter of this size is still cheap to send; larger rows are kept in pieces. */
const quarantinePartBytes = 8 * 1024 * 1024;

/** Steps of an audit transaction at which tests make things fail. */
export type AppendStep = 'fence' | 'copy' | 'advance' | 'commit';

export interface LogWriterOptions {
  /** Nobody else uses it. */
  readonly client: pg.ClientBase;
  readonly log: number;
  /** What `takeOver` returned. */
  readonly epoch: string;
  /** Called before and after each step; what it throws is taken as that step's failure. For tests. */
  readonly onStep?: ((step: AppendStep, moment: 'before' | 'after') => Promise<void> | undefined) | undefined;
}

/** SQLSTATE of `bemi.fence` when another writer has taken the log over. */
export const sqlStateTakenOver = 'BM001';
/** SQLSTATE of `bemi.fence` when the log does not end where the writer thinks. */
export const sqlStateOtherEnd = 'BM002';

/**
 * Writes units into the log, one audit transaction after the other. Each transaction first passes the fence;
 * entries and position become visible in one commit. After any error the transaction is lost and the writer
 * useless: start again from what the database holds.
 */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #isOpen = false;

  constructor(options: LogWriterOptions) {
    this.#options = options;
  }

  /** Whether an audit transaction is open, because a source transaction came in parts. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when the unit is written and, if it has `progress`, durable. */
  async append(unit: AppendUnit): Promise<void> {
    const { client, log, epoch } = this.#options;
    if (!this.#isOpen) {
      await this.#step('fence', async () => {
        await client.query('BEGIN');
        this.#isOpen = true;
        await client.query('SELECT bemi.fence($1, $2, $3)', [log, epoch, unit.firstSequence]);
      });
    }
    await this.#step('copy', async () => {
      for (const row of unit.relations) {
        await client.query(
          `INSERT INTO bemi.relations (log, relation, sequence, oid, schema_name, table_name, root_schema, root_table, document)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
          [
            log,
            row.relation,
            row.sequence,
            row.oid,
            row.schema,
            row.table,
            row.rootSchema,
            row.rootTable,
            row.document,
          ],
        );
      }
      await this.#copy('change_log', unit.changes);
      await this.#copy('context_log', unit.contexts);
      await this.#copy('transaction_log', unit.transactions);
      await this.#copy('event_log', unit.events);
      for (const row of unit.quarantine) await this.#insertQuarantine(row);
      for (const { id, sequence } of unit.answers) {
        await client.query('UPDATE bemi.inbox SET sequence = $2, answered_at = now() WHERE id = $1', [
          id,
          sequence,
        ]);
      }
    });
    if (!unit.progress) return;
    const { lastFinalLsn, confirmedLsn, timeline } = unit.progress;
    await this.#step('advance', () =>
      client.query('SELECT bemi.advance($1, $2, $3, $4, $5)', [
        log,
        unit.nextSequence,
        lastFinalLsn,
        confirmedLsn,
        timeline,
      ]),
    );
    await this.#step('commit', async () => {
      await client.query('COMMIT');
      this.#isOpen = false;
    });
  }

  /** Gives up what was written of a source transaction that will not be completed. */
  async rollback(): Promise<void> {
    if (!this.#isOpen) return;
    await this.#options.client.query('ROLLBACK');
    this.#isOpen = false;
  }

  async #copy(table: keyof typeof copyColumns, buffer: CopyBuffer): Promise<void> {
    if (buffer.rowCount === 0) return;
    const stream = this.#options.client.query(
      copyFrom(`COPY bemi.${table} (${copyColumns[table]}) FROM STDIN (FORMAT binary)`),
    );
    stream.end(buffer.finished());
    await once(stream, 'finish');
  }

  async #insertQuarantine(row: QuarantineRow): Promise<void> {
    for (let part = 0, offset = 0; offset < row.bytes.length; part++, offset += quarantinePartBytes) {
      await this.#options.client.query(
        `INSERT INTO bemi.quarantine (log, sequence, part, field, reason, bytes, salt) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
        [
          this.#options.log,
          row.sequence,
          part,
          row.field,
          row.reason,
          row.bytes.subarray(offset, offset + quarantinePartBytes),
          part === 0 ? randomBytes(saltLength) : null,
        ],
      );
    }
  }

  async #step(step: AppendStep, work: () => Promise<unknown>): Promise<void> {
    await this.#options.onStep?.(step, 'before');
    await work();
    await this.#options.onStep?.(step, 'after');
  }
}

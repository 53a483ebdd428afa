import { HASH_BYTES } from '@bemi-db/proof/hash';
import { writeU64Number } from '@bemi-db/proof/integer';
import {
  KIND_CHANGE,
  KIND_COMMIT,
  KIND_CONTEXT,
  KIND_EVENT,
  MAX_RECORD_BYTES,
  RECORD_VERSION,
} from '@bemi-db/proof/record';
import type pg from 'pg';
import type { Withheld } from '../append/entry-record.ts';
import { copyOut } from './copy-out.ts';
import type { CopyRows } from './copy-rows.ts';
import { EntryChunk } from './entry-chunk.ts';
import { readQuarantine, type StoredQuarantine } from './quarantined-texts.ts';
import {
  changeColumns,
  changeRow,
  columnCounts,
  commitColumns,
  commitRow,
  contextColumns,
  contextRow,
  eventColumns,
  eventRow,
  writeChangeOfRow,
  writeCommitOfRow,
  writeContextOfRow,
  writeEventOfRow,
} from './row-record.ts';

type WriteRecord = (row: CopyRows, target: Uint8Array, at: number, withheld: Withheld | undefined) => number;

/** How the rows of a table become records. */
interface Kind {
  readonly kind: number;
  readonly table: string;
  readonly columns: string;
  readonly columnCount: number;
  readonly salt: number;
  readonly commitment: number;
  readonly write: WriteRecord;
}

const kinds: Readonly<Record<'change' | 'context' | 'commit' | 'event', Kind>> = {
  change: {
    kind: KIND_CHANGE,
    table: 'change_log',
    columns: changeColumns,
    columnCount: columnCounts.change,
    ...changeRow,
    write: writeChangeOfRow,
  },
  context: {
    kind: KIND_CONTEXT,
    table: 'context_log',
    columns: contextColumns,
    columnCount: columnCounts.context,
    ...contextRow,
    write: writeContextOfRow,
  },
  commit: {
    kind: KIND_COMMIT,
    table: 'transaction_log',
    columns: commitColumns,
    columnCount: columnCounts.commit,
    ...commitRow,
    write: writeCommitOfRow,
  },
  event: {
    kind: KIND_EVENT,
    table: 'event_log',
    columns: eventColumns,
    columnCount: columnCounts.event,
    ...eventRow,
    write: writeEventOfRow,
  },
};

/**
 * Reads the stored entries with sequences in [from, to), and makes the record of each. One statement for each kind, on
 * one connection; what arrives is hashed and forgotten, so that rows of any size pass through.
 *
 * Nothing is believed: a value that no writer writes gives another record, and so is found. The texts of an entry count
 * as erased only where all of them and the salt are gone; else they are hashed, whatever commitment is stored.
 */
export async function readEntries(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
): Promise<EntryChunk> {
  const chunk = new EntryChunk(from, to - from);
  const { rows, contexts } = await readQuarantine(client, log, from, to);
  const read = (kind: Kind, quarantine: ReadonlyMap<number, StoredQuarantine>, onRow?: OnRow) =>
    copyOut(
      client,
      `SELECT ${kind.columns} FROM bemi.${kind.table} WHERE log = ${log} AND sequence >= ${from} AND sequence < ${to}`,
      kind.columnCount,
      (row) => addRow(chunk, kind, row, quarantine, onRow),
    );
  await read(kinds.change, rows);
  await read(kinds.context, contexts);
  await read(kinds.commit, none);
  await read(kinds.event, none, (row, sequence) =>
    chunk.payloads.set(sequence - from, row.isNull(eventRow.payload) ? null : row.text(eventRow.payload)),
  );
  return chunk;
}

type OnRow = (row: CopyRows, sequence: number) => void;

const none: ReadonlyMap<number, StoredQuarantine> = new Map();
const spare = new Uint8Array(MAX_RECORD_BYTES);

function addRow(
  chunk: EntryChunk,
  kind: Kind,
  row: CopyRows,
  quarantine: ReadonlyMap<number, StoredQuarantine>,
  onRow: OnRow | undefined,
): void {
  const sequence = row.int64(0);
  const withheld =
    quarantine.size === 0 && row.isNull(kind.commitment)
      ? undefined
      : withheldOf(chunk, row, kind, quarantine.get(sequence), sequence);
  const isFirst = chunk.reserve(sequence, MAX_RECORD_BYTES);
  const target = isFirst ? chunk.records : spare;
  const at = isFirst ? chunk.length : 0;
  let end: number;
  try {
    end = kind.write(row, target, at, withheld);
  } catch (error) {
    // What stands here is no entry of the log, whatever it is.
    if (!(error instanceof RangeError)) throw error;
    end = writeImpossible(target, at, kind.kind, sequence);
  }
  if (isFirst) chunk.added(sequence, end);
  else chunk.duplicates.push({ sequence, record: spare.slice(0, end) });
  onRow?.(row, sequence);
}

const impossibleRecordBytes = 10;

/** What stands for a row that no record can be made of: its kind and sequence, and nothing that could be right. */
function writeImpossible(target: Uint8Array, at: number, kind: number, sequence: number): number {
  target[at] = RECORD_VERSION;
  target[at + 1] = kind;
  writeU64Number(target, at + 2, sequence);
  return at + impossibleRecordBytes;
}

/** Whether texts are in quarantine or erased: all fields from the salt to before the commitment are NULL. */
function withheldOf(
  chunk: EntryChunk,
  row: CopyRows,
  kind: Kind,
  quarantine: StoredQuarantine | undefined,
  sequence: number,
): Withheld | undefined {
  if (!row.isNull(kind.commitment)) {
    let isErased = true;
    for (let field = kind.salt; field < kind.commitment; field++) isErased &&= row.isNull(field);
    if (isErased && row.ends[kind.commitment]! - row.starts[kind.commitment]! === HASH_BYTES) {
      chunk.erased.add(sequence - chunk.from);
      return {
        state: 'erased',
        isQuarantined: quarantine !== undefined,
        commitment: row.copy(kind.commitment),
      };
    }
  }
  if (!quarantine) return undefined;
  return {
    state: 'quarantined',
    reason: quarantine.reason,
    bytesHash: quarantine.bytesHash ?? new Uint8Array(0),
  };
}

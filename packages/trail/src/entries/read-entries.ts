import { HASH_BYTES } from '@bemi-db/proof/hash';
import { writeU64Number } from '@bemi-db/proof/integer';
import {
  type Authenticity,
  type BeforeKind,
  type ChangeHeader,
  KIND_CHANGE,
  KIND_COMMIT,
  KIND_CONTEXT,
  KIND_EVENT,
  type Operation,
  RECORD_VERSION,
} from '@bemi-db/proof/record';
import type pg from 'pg';
import { EntryRecord, type Withheld } from '../append/entry-record.ts';
import { copyOut } from './copy-out.ts';
import type { CopyRows } from './copy-rows.ts';
import { EntryChunk } from './entry-chunk.ts';
import { readQuarantine, type StoredQuarantine } from './quarantined-texts.ts';

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
  const record = new EntryRecord();
  const range = `log = ${log} AND sequence >= ${from} AND sequence < ${to}`;
  const quarantine = await readQuarantine(client, log, from, to);
  const read = (
    query: string,
    fields: number,
    kind: number,
    add: (row: CopyRows, sequence: number) => void,
  ) =>
    copyOut(client, query, fields, (row) => {
      const sequence = row.int64(0);
      try {
        add(row, sequence);
        chunk.put(sequence, record.bytes, recordStart, record.end);
      } catch (error) {
        // A number that no record can hold: what stands here then is no entry of the log either.
        if (!(error instanceof RangeError)) throw error;
        chunk.put(sequence, impossibleRecord(kind, sequence), 0, impossibleRecordBytes);
      }
    });

  const changeHeader: ChangeHeader = {
    sequence: 0,
    transaction: 0,
    relation: 0,
    lsn: 0n,
    contextNumber: 0,
    operation: 'INSERT',
    beforeKind: 'none',
    quarantined: false,
  };
  await read(
    `SELECT sequence, transaction, relation, context_no, lsn, before_kind, operation, salt, primary_key, before, after, commitment
       FROM bemi.change_log WHERE ${range}`,
    12,
    KIND_CHANGE,
    (row, sequence) => {
      const header = changeHeader;
      header.sequence = sequence;
      header.transaction = row.int64(1);
      header.relation = row.int64(2);
      header.contextNumber = row.int32(3);
      header.lsn = row.biguint64(4);
      header.beforeKind = beforeKindOf(row, 5);
      header.operation = operations[row.bytes[row.starts[6]!]!]!;
      const withheld = withheldOf(chunk, row, 11, 7, quarantine.rows.get(header.sequence), header.sequence);
      record.change(header, row.bytes, row.starts[6]! - 4, fieldsEnd(row, 10), withheld);
    },
  );
  await read(
    `SELECT sequence, transaction, context_no, authenticity, salt, context, commitment FROM bemi.context_log WHERE ${range}`,
    7,
    KIND_CONTEXT,
    (row, sequence) => {
      const transaction = row.int64(1);
      const contextNumber = row.int32(2);
      const authenticity = row.text(3) as Authenticity;
      const withheld = withheldOf(chunk, row, 6, 4, quarantine.contexts.get(sequence), sequence);
      record.context(
        { sequence, transaction, contextNumber, authenticity, quarantined: false },
        row.bytes,
        row.starts[3]! - 4,
        fieldsEnd(row, 5),
        withheld,
      );
    },
  );
  await read(
    `SELECT sequence, transaction, generation, commit_lsn, end_lsn, covered_from_lsn, xid, committed_at, recorded_at,
            change_count, context_count, 'actor'::text, salt, actor, commitment
       FROM bemi.transaction_log WHERE ${range}`,
    15,
    KIND_COMMIT,
    (row, sequence) => {
      const hasActor = !(row.isNull(13) && row.isNull(14));
      const header = {
        sequence,
        transaction: row.int64(1),
        generation: row.int32(2),
        commitLsn: row.biguint64(3),
        endLsn: row.biguint64(4),
        coveredFromLsn: row.biguint64(5),
        xid: row.biguint64(6),
        committedAt: row.bigint64(7),
        recordedAt: row.bigint64(8),
        changeCount: row.int64(9),
        contextCount: row.int32(10),
        hasActor,
      };
      if (!hasActor) record.commit(header);
      else {
        const withheld = withheldOf(chunk, row, 14, 12, undefined, header.sequence);
        record.commit(header, row.bytes, row.starts[11]! - 4, fieldsEnd(row, 13), withheld);
      }
    },
  );
  await read(
    `SELECT sequence, at, kind, salt, actor, payload, commitment FROM bemi.event_log WHERE ${range}`,
    7,
    KIND_EVENT,
    (row, sequence) => {
      const at = row.bigint64(1);
      const eventKind = row.text(2);
      chunk.payloads.set(sequence - from, row.isNull(5) ? null : row.text(5));
      const withheld = withheldOf(chunk, row, 6, 3, undefined, sequence);
      record.event({ sequence, at, eventKind }, row.bytes, row.starts[2]! - 4, fieldsEnd(row, 5), withheld);
    },
  );
  return chunk;
}

const recordStart = 1;
const impossibleRecordBytes = 10;

/** What stands for a row that no record can be made of: its kind and sequence, and nothing that could be right. */
function impossibleRecord(kind: number, sequence: number): Uint8Array {
  const record = new Uint8Array(impossibleRecordBytes);
  record[0] = RECORD_VERSION;
  record[1] = kind;
  writeU64Number(record, 2, sequence);
  return record;
}

// By their first byte: the whole text is in the commitment.
const operations: Record<number, Operation> = { 73: 'INSERT', 85: 'UPDATE', 68: 'DELETE', 84: 'TRUNCATE' };

const beforeKinds: readonly BeforeKind[] = ['full', 'key', 'none'];
const beforeKindBytes = beforeKinds.map((text) => Buffer.from(text));

/** By all of its text: the record has one letter of it, and the view reads the text. */
function beforeKindOf(row: CopyRows, field: number): BeforeKind {
  const start = row.starts[field]!;
  const length = row.ends[field]! - start;
  for (let i = 0; i < beforeKinds.length; i++) {
    const expected = beforeKindBytes[i]!;
    let matches = length === expected.length;
    for (let at = 0; matches && at < length; at++) matches = row.bytes[start + at] === expected[at];
    if (matches) return beforeKinds[i]!;
  }
  throw new RangeError('No before_kind of this format');
}

/** Behind the last byte of a field, also of one that is NULL. */
function fieldsEnd(row: CopyRows, field: number): number {
  return row.isNull(field) ? row.starts[field]! : row.ends[field]!;
}

/** Whether texts are in quarantine or erased: all fields from the salt to before the commitment are NULL. */
function withheldOf(
  chunk: EntryChunk,
  row: CopyRows,
  commitmentField: number,
  saltField: number,
  quarantine: StoredQuarantine | undefined,
  sequence: number,
): Withheld | undefined {
  if (!row.isNull(commitmentField)) {
    let isErased = true;
    for (let field = saltField; field < commitmentField; field++) isErased &&= row.isNull(field);
    if (isErased && row.ends[commitmentField]! - row.starts[commitmentField]! === HASH_BYTES) {
      chunk.erased.add(sequence - chunk.from);
      return {
        state: 'erased',
        isQuarantined: quarantine !== undefined,
        commitment: row.copy(commitmentField),
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

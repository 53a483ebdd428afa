import { createHash, type Hash } from 'node:crypto';
import type pg from 'pg';
import { copyOut } from './copy-out.ts';

/** What stands in quarantine for one field of an entry. */
export interface StoredQuarantine {
  readonly reason: string;
  /** SHA-256 of the bytes; `undefined` when they were erased. */
  readonly bytesHash: Uint8Array | undefined;
}

/** What stands in quarantine for the entries of a range, by the entry's sequence. */
export interface QuarantinedTexts {
  readonly rows: ReadonlyMap<number, StoredQuarantine>;
  readonly contexts: ReadonlyMap<number, StoredQuarantine>;
}

const none: ReadonlyMap<number, StoredQuarantine> = new Map();

/** Reads and hashes what stands in quarantine for the entries in [from, to), in pieces: it may be large. */
export async function readQuarantine(
  client: pg.ClientBase,
  log: number,
  from: number,
  to: number,
): Promise<QuarantinedTexts> {
  const texts = new Map<string, Map<number, StoredQuarantine>>();
  let current: { key: string; sequence: number; field: string; reason: string; hash: Hash | undefined };
  const finish = (): void => {
    if (!current) return;
    const { field, sequence, reason, hash } = current;
    const ofField = texts.get(field) ?? new Map<number, StoredQuarantine>();
    ofField.set(sequence, { reason, bytesHash: hash?.digest() });
    texts.set(field, ofField);
  };
  await copyOut(
    client,
    `SELECT sequence, field, reason, bytes FROM bemi.quarantine
      WHERE log = ${log} AND sequence >= ${from} AND sequence < ${to} ORDER BY sequence, field, part`,
    4,
    (row) => {
      const sequence = row.int64(0);
      const field = row.text(1);
      const key = `${sequence} ${field}`;
      if (key !== current?.key) {
        finish();
        current = {
          key,
          sequence,
          field,
          reason: row.text(2),
          hash: row.isNull(3) ? undefined : createHash('sha256'),
        };
      }
      if (!row.isNull(3)) current.hash?.update(row.bytes.subarray(row.starts[3], row.ends[3]));
    },
  );
  finish();
  return { rows: texts.get('row') ?? none, contexts: texts.get('context') ?? none };
}

import type { Lsn } from '@bemi-db/replication/lsn';

const pageHeaderBytes = 24n;
const segmentHeaderBytes = 40n;

/**
 * The end of the last record before an insert position. The two differ only at the start of a page, where the insert
 * position already lies behind the header that the next record's page will have (XLogBytePosToRecPtr).
 */
export function lastRecordEnd(insertLsn: Lsn, blockBytes: number): Lsn {
  const offset = insertLsn % BigInt(blockBytes);
  const isHeader = offset === pageHeaderBytes || offset === segmentHeaderBytes;
  return (isHeader ? insertLsn - offset : insertLsn) as Lsn;
}

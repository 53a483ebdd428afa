declare const lsnBrand: unique symbol;

/**
 * A position in the write-ahead log: an unsigned 64-bit byte offset. Many changes share one LSN, so it
 * orders and confirms, but never identifies.
 */
export type Lsn = bigint & { readonly [lsnBrand]: true };

/** Before every real position; what PostgreSQL prints as `0/0` and calls invalid. */
export const zeroLsn = 0n as Lsn;

const lsnPattern = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/;

/**
 * Reads PostgreSQL's text form of a position, two hexadecimal halves as in `16/B374D848`.
 * @see https://www.postgresql.org/docs/current/datatype-pg-lsn.html
 * @throws RangeError when the text is not an LSN.
 */
export function parseLsn(text: string): Lsn {
  const match = lsnPattern.exec(text);
  if (!match)
    throw new RangeError(`Not an LSN (two hexadecimal numbers around a slash): ${JSON.stringify(text)}`);
  return ((BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)) as Lsn;
}

/** PostgreSQL's text form of a position, as `pg_lsn` prints it. */
export function formatLsn(lsn: Lsn): string {
  return `${(lsn >> 32n).toString(16).toUpperCase()}/${(lsn & 0xffffffffn).toString(16).toUpperCase()}`;
}

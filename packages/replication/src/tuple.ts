/** PostgreSQL's limit is 1,600 columns a table (MaxHeapAttributeNumber). */
export const maximumColumns = 1600;

export const columnNull = 0x6e; // 'n'
/** A TOASTed value that this UPDATE did not touch: the WAL does not hold it in the new row. */
export const columnUnchanged = 0x75; // 'u'
export const columnText = 0x74; // 't'

/**
 * One row as it stands in the stream: for each column its kind and, for text, where its bytes are. One
 * object serves all rows of a stream, so nothing is allocated per row or column; it is valid only within
 * the call that it was passed to.
 */
export class Tuple {
  /** The buffer that `starts` and `ends` point into. */
  bytes: Buffer = Buffer.alloc(0);
  columnCount = 0;
  readonly kinds = new Uint8Array(maximumColumns);
  readonly starts = new Int32Array(maximumColumns);
  readonly ends = new Int32Array(maximumColumns);

  /** The text of a column, or `undefined` where the row has none. For tests and rare paths. */
  text(column: number): string | undefined {
    if (this.kinds[column] !== columnText) return undefined;
    return this.bytes.toString('utf8', this.starts[column], this.ends[column]);
  }
}

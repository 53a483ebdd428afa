/** A range of sequences that has its partitions: from inclusive, to exclusive. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

export interface PartitionFacts {
  readonly nextSequence: number;
  /** End of the last range, 0 when there is none. */
  readonly coveredTo: number;
  /** Beginning of the first range of changes: what was before it has been dropped. */
  readonly keptFrom: number;
  /** Size of the partitions that exist, indexes included. */
  readonly totalBytes: number;
}

const firstRangeLength = 4_000_000;
/** Ranges end where tiles of the log's tree do: what is dropped later is a prefix of whole tiles. */
const tileWidth = 256;
/** A partition is to be about this large, until there would be too many of them. */
const targetBytes = 2 * 1024 ** 3;
/** Beyond this many partitions of the target size, each new one is larger. */
const manyPartitions = 40;
/** Assumed until there is enough data to measure. */
const assumedBytesPerEntry = 400;
const leastBytesPerEntry = 100;

/**
 * The next range of sequences that wants partitions, or `undefined` while enough room is left. Ranges are made
 * by size, so that partitions are few (tens) and of useful size whatever the rows look like, and ahead: when
 * less than half of a range is left.
 */
export function nextPartitionRange(facts: PartitionFacts): SequenceRange | undefined {
  const { nextSequence, coveredTo, keptFrom, totalBytes } = facts;
  if (coveredTo === 0) return { from: 0, to: firstRangeLength };
  const bytesPerEntry =
    nextSequence - keptFrom > firstRangeLength / 4
      ? Math.max(totalBytes / (nextSequence - keptFrom), leastBytesPerEntry)
      : assumedBytesPerEntry;
  const bytes = Math.max(targetBytes, totalBytes / manyPartitions);
  const wanted = Math.max(firstRangeLength, Math.ceil(bytes / bytesPerEntry));
  const length = Math.ceil(wanted / tileWidth) * tileWidth;
  if (coveredTo - nextSequence >= Math.min(length, firstRangeLength) / 2) return undefined;
  return { from: coveredTo, to: coveredTo + length };
}

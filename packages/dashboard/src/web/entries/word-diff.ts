/** A piece of a text that is in both versions, or in one. */
export interface DiffPiece {
  readonly text: string;
  readonly in: 'both' | 'before' | 'after';
}

/** Comparing costs the product of the lengths: beyond this, what is between the same beginning and end counts as other. */
const mostComparisons = 1_000_000;

/** What of a text is another word. Taken together, pieces of `before` and `both` are the old text, the others the new one. */
export function wordDiff(before: string, after: string): DiffPiece[] {
  const old = wordsOf(before);
  const current = wordsOf(after);
  let start = 0;
  while (start < old.length && start < current.length && old[start] === current[start]) start++;
  let end = 0;
  while (
    end < old.length - start &&
    end < current.length - start &&
    old[old.length - 1 - end] === current[current.length - 1 - end]
  )
    end++;
  const gone = old.slice(start, old.length - end);
  const come = current.slice(start, current.length - end);
  return joined([
    { text: old.slice(0, start).join(''), in: 'both' },
    ...(gone.length * come.length > mostComparisons ? replaced(gone, come) : compared(gone, come)),
    { text: old.slice(old.length - end).join(''), in: 'both' },
  ]);
}

function wordsOf(text: string): string[] {
  return text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
}

function replaced(gone: readonly string[], come: readonly string[]): DiffPiece[] {
  return [
    { text: gone.join(''), in: 'before' },
    { text: come.join(''), in: 'after' },
  ];
}

/** The longest words that both have in this order, found from the end. */
function compared(gone: readonly string[], come: readonly string[]): DiffPiece[] {
  const width = come.length + 1;
  const common = new Uint32Array((gone.length + 1) * width);
  for (let i = gone.length - 1; i >= 0; i--)
    for (let j = come.length - 1; j >= 0; j--)
      common[i * width + j] =
        gone[i] === come[j]
          ? common[(i + 1) * width + j + 1]! + 1
          : Math.max(common[(i + 1) * width + j]!, common[i * width + j + 1]!);
  const pieces: DiffPiece[] = [];
  let [i, j] = [0, 0];
  while (i < gone.length || j < come.length) {
    if (i < gone.length && j < come.length && gone[i] === come[j]) {
      pieces.push({ text: gone[i++]!, in: 'both' });
      j++;
    } else if (
      j === come.length ||
      (i < gone.length && common[(i + 1) * width + j]! >= common[i * width + j + 1]!)
    ) {
      pieces.push({ text: gone[i++]!, in: 'before' });
    } else {
      pieces.push({ text: come[j++]!, in: 'after' });
    }
  }
  return pieces;
}

/** Neighbours of one kind as one piece. A space between two words that changed has changed with them. */
function joined(pieces: readonly DiffPiece[]): DiffPiece[] {
  const list: DiffPiece[] = [];
  for (const piece of pieces) {
    const last = list.at(-1);
    if (piece.text === '') continue;
    if (last?.in === piece.in) list[list.length - 1] = { text: last.text + piece.text, in: piece.in };
    else list.push(piece);
  }
  return list;
}

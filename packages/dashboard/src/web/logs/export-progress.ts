export type ExportForm = 'csv' | 'jsonl' | 'sql';

/** How each line begins, as far as the form says which entry it is. */
const lineStarts: Readonly<Record<ExportForm, RegExp | undefined>> = {
  csv: /\r\n(\d+),/g,
  jsonl: /\n\{"sequence":"(\d+)"/g,
  sql: undefined,
};

/**
 * How much of the log was looked through by the time of a piece: entries come the newest first.
 *
 * @param size - of the log, as the server says it.
 */
export function shareReader(
  form: ExportForm,
  size: string | null,
): (piece: Uint8Array) => number | undefined {
  const lineStart = lineStarts[form];
  const end = Number(size ?? 0);
  const decoder = new TextDecoder();
  let share: number | undefined;
  return (piece) => {
    if (lineStart === undefined || end === 0) return undefined;
    const sequence = [...decoder.decode(piece).matchAll(lineStart)].at(-1)?.[1];
    // A value in the file may look like the beginning of a line.
    if (sequence !== undefined) share = Math.max(share ?? 0, Math.min(1 - Number(sequence) / end, 1));
    return share;
  };
}

const quote = 0x22;
const lineFeed = 0x0a;

/** Counts the entries in each piece: lines, which in CSV are none between quotes. The head of a CSV file is not counted. */
export function lineCounter(form: ExportForm): (piece: Uint8Array) => number {
  let isQuoted = false;
  let isHead = form === 'csv';
  return (piece) => {
    let lines = 0;
    for (const byte of piece) {
      if (byte === quote && form === 'csv') isQuoted = !isQuoted;
      if (byte !== lineFeed || isQuoted) continue;
      if (isHead) isHead = false;
      else lines++;
    }
    return lines;
  };
}

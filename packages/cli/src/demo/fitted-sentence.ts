import { stripVTControlCharacters } from 'node:util';

const gap = '  ';
const indent = '    ';

/**
 * A sentence whose first line is broken between its parts (who did what, what it did, why and from where) where the
 * terminal is too narrow for it. The terminal itself would break it within a word.
 *
 * @param columns - width of the terminal; `undefined` leaves it as it is.
 */
export function fittedSentence(sentence: string, columns: number | undefined): string {
  if (columns === undefined) return sentence;
  const [first = '', ...rest] = sentence.split('\n');
  const lines = [''];
  for (const part of partsOf(first)) {
    const line = lines.at(-1)!;
    const longer = line === '' ? part : line + gap + part;
    if (line === '' || widthOf(longer) <= columns) lines[lines.length - 1] = longer;
    else lines.push(indent + part);
  }
  return [...lines, ...rest].join('\n');
}

/** When and who stay together: the time alone would be a strange first line. */
function partsOf(line: string): string[] {
  const [when = '', who, ...others] = line.split(gap);
  return who === undefined ? [when] : [when + gap + who, ...others];
}

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length;
}

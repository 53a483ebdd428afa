/** A sentence in lines that fit the terminal, indented. One line where the width is not known: nothing is cut then. */
export function wrapped(text: string, columns: number | undefined, indent: number): string[] {
  const margin = ' '.repeat(indent);
  const width = columns === undefined ? Number.POSITIVE_INFINITY : Math.min(columns, 110) - indent;
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(margin + line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(margin + line);
  return lines;
}

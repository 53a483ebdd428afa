import type { TextStyle } from '../presentation/text-style.ts';

/** Lines of a label and a value, the values below each other. A value may have several lines. */
export function labelledLines(rows: readonly (readonly [string, string])[], { colors }: TextStyle): string {
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows
    .map(([label, value]) => {
      const [first = '', ...rest] = value.split('\n');
      const lines = [`  ${colors.dim(label.padEnd(width))}  ${first}`];
      lines.push(...rest.map((line) => `${' '.repeat(width + 4)}${line}`));
      return `${lines.join('\n')}\n`;
    })
    .join('');
}

import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { TextStyle } from '../presentation/text-style.ts';

const hidden = new Set(['level', 'time', 'pid', 'hostname', 'fix', 'sql']);

/** A line of the log for people: the message, its fields, and below it the SQL that was run or the fix. */
export function prettyMessage(
  log: Readonly<Record<string, unknown>>,
  messageKey: string,
  { colors }: TextStyle,
): string {
  const fields = Object.entries(log)
    .filter(([name]) => !hidden.has(name) && name !== messageKey)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const message = lineSafe(String(log[messageKey]));
  const tail = fields.length > 0 ? `  ${colors.dim(harmless(fields.join(' ')))}` : '';
  const below = [log['sql'], log['fix']]
    .filter((text) => typeof text === 'string' && text !== '')
    .flatMap((text) => lineSafe(String(text)).split('\n'))
    .map((line) => `\n    ${line}`);
  return `${colors.reset(message)}${tail}${below.join('')}`;
}

function lineSafe(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

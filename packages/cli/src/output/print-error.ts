import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { TextStyle } from '../presentation/text-style.ts';
import { type ExplainedError, explainError } from './explain-error.ts';

/**
 * What goes to stderr for an error: one JSON object for programs, else three parts for people.
 *
 * @param isDebugging - adds the stack, with its causes.
 */
export function errorText(error: unknown, isJson: boolean, isDebugging: boolean, style: TextStyle): string {
  const explained = explainError(error);
  if (isJson) {
    const { code, message, fix } = explained;
    return `${JSON.stringify({ error: { code, message, fix } })}\n`;
  }
  const stack = isDebugging ? `\n${stackOf(error)}\n` : '';
  return `${explanation(explained, style)}${stack}`;
}

function explanation({ code, message, fix }: ExplainedError, { colors }: TextStyle): string {
  const lines = [`${colors.red('✗')} ${colors.bold(lineSafe(message))}`, `  ${colors.dim('why')}  ${code}`];
  const [first = '', ...rest] = lineSafe(fix).split('\n');
  if (first !== '') lines.push(`  ${colors.dim('fix')}  ${first}`, ...rest.map((line) => `       ${line}`));
  return `${lines.join('\n')}\n`;
}

/** Harmless, with its own line breaks. */
function lineSafe(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

function stackOf(error: unknown): string {
  const parts: string[] = [];
  for (let each = error; each instanceof Error; each = each.cause) parts.push(each.stack ?? each.message);
  return parts.join('\ncaused by ');
}

import { ddlFacts } from './ddl-facts.ts';

/**
 * The statement of DDL, with `;` at its end, as the client sent it; where the log doesn't have it, a comment.
 *
 * @param message - JSON text (docs/spec/ddl-message.md); `null` where it was refused or erased.
 */
export function ddlSql(sequence: string, message: string | null, way: 'again' | 'undo'): string {
  if (way === 'undo') return `-- DDL of entry ${sequence}: what undoes it is not known.`;
  const statement = message === null ? undefined : ddlFacts(message).statement?.trim();
  if (statement === undefined) return `-- DDL of entry ${sequence}: the statement is not in the log.`;
  // On a line of its own: the statement may end with a comment.
  return statement.endsWith(';') ? statement : `${statement}\n;`;
}

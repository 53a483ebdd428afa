import type { Finding } from '@bemi-db/source/finding';
import { harmless } from '@bemi-db/trail/facts/harmless-text';

/** What somebody else may need: a slot, a right that is everybody's. */
const toBeConsidered = /pg_drop_replication_slot|\bFROM PUBLIC\b/;
const transactional = /^(?:BEGIN|COMMIT);$/;

/**
 * For psql: the statements that cure what SQL can cure, in the order in which they are to be run, each once. What takes something
 * away that others may rely on is a comment: a person decides.
 */
export function sqlText(findings: readonly Finding[]): string {
  const printed = new Set<string>();
  return findings
    .map(({ id, title, sql }) => {
      const statements = sql.filter((statement) => transactional.test(statement) || !printed.has(statement));
      for (const statement of statements) printed.add(statement);
      if (statements.every((statement) => transactional.test(statement))) return '';
      const isForPeople = statements.some((statement) => toBeConsidered.test(statement));
      const text = isForPeople
        ? `-- To be considered first: bemi doctor says why.\n${statements.join('\n').replace(/^/gm, '-- ')}`
        : statements.join('\n');
      return `-- ${id}: ${harmless(title)}\n${text}\n`;
    })
    .filter((text) => text !== '')
    .join('\n');
}

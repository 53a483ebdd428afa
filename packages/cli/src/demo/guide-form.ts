import { jsonMembers } from '@bemi-db/trail/facts/json-members';
import type { Change } from '@bemi-db/trail/query/change';

/**
 * Changes as the set-up guide's second test shows them: a JSON array of objects with the members operation, table,
 * before, after, context and timestamp. Values are copied as they were recorded, never parsed.
 *
 * @param changes - read with `changedOnly`.
 */
export function guideForm(changes: readonly Change[]): string {
  return `[\n${changes.map(changeObject).join(',\n')}\n]`;
}

function changeObject(change: Change): string {
  const members = [
    `"operation": ${JSON.stringify(change.operation)}`,
    `"table": ${JSON.stringify(change.table)}`,
    `"before": ${nestedObject(change.before)}`,
    `"after": ${nestedObject(change.after)}`,
    `"context": ${nestedObject(change.context)}`,
    `"timestamp": ${JSON.stringify(change.timestamp)}`,
  ];
  return `  {\n${members.map((member) => `    ${member}`).join(',\n')}\n  }`;
}

/** A member on each line. */
function nestedObject(json: string | undefined): string {
  if (json === undefined) return 'null';
  const lines = jsonMembers(json).map(({ name, value }) => `      ${JSON.stringify(name)}: ${value}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n    }`;
}

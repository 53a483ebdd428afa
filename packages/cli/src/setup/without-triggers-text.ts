import { withoutEventTriggers } from '@bemi-db/source/ddl/plan-ddl';
import type { TextStyle } from '../presentation/text-style.ts';

/** What to do where event triggers are not allowed. */
export function withoutTriggersText({ colors }: TextStyle): string {
  const { title, explanation, afterMigration, forTables } = withoutEventTriggers;
  return (
    `${colors.yellow('!')} ${colors.bold(title)}\n` +
    `    ${explanation}\n` +
    `    After each migration, as the role that owns the tables: ${colors.cyan(afterMigration)}\n` +
    `    Or in it, for the tables that it makes or alters: ${colors.cyan(forTables)}\n`
  );
}

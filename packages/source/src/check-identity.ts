import pg from 'pg';
import { type Finding, ok, problem } from './finding.ts';
import { betterIdentity, hasWorkingIdentity, isUnidentifiable, whyFullBreaks } from './identity.ts';
import type { SourceSnapshot, TableSnapshot } from './source-snapshot.ts';
import { displayTable, displayTables, quoteTable } from './table-name.ts';
import { displayLargest } from './table-size.ts';

/** Whether the published tables can be updated at all, and whether their old rows are sent whole. */
export function checkIdentity(snapshot: SourceSnapshot): readonly Finding[] {
  const published = snapshot.tables.filter((table) => table.isPublished);
  return [checkWritable(snapshot, published), checkWholeRows(snapshot, published)];
}

/** The one finding by which the application suffers: its UPDATE and DELETE fail now. */
function checkWritable(snapshot: SourceSnapshot, published: readonly TableSnapshot[]): Finding {
  const { server, publication } = snapshot;
  const id = 'identity-missing';
  const isAsked = publication?.operations.some(
    (operation) => operation === 'UPDATE' || operation === 'DELETE',
  );
  const unpublishedColumns = published.filter(
    (table) =>
      table.identity === 'full' &&
      table.storedGeneratedColumns.length > 0 &&
      publication?.publishesGeneratedColumns === false,
  );
  const broken = published.filter(
    (table) =>
      !hasWorkingIdentity(table) ||
      (table.identity === 'full' && whyFullBreaks(table, server) !== undefined) ||
      unpublishedColumns.includes(table),
  );
  if (!isAsked || broken.length === 0) {
    return ok(id, 'Every published table can be updated', `${published.length} published`);
  }
  const sql: string[] = [];
  if (publication && unpublishedColumns.some((table) => whyFullBreaks(table, server) === undefined)) {
    sql.push(
      `ALTER PUBLICATION ${pg.escapeIdentifier(publication.name)} SET (publish_generated_columns = stored);`,
    );
  }
  sql.push(...alterations(broken, server));
  const hopeless = broken.filter((table) => isUnidentifiable(table, server));
  return problem(
    'failure',
    id,
    'UPDATE and DELETE fail on published tables',
    displayLargest(broken),
    hopeless.length === 0
      ? 'Run as the owner of the tables:'
      : `No identity fits ${displayTables(hopeless)}: ${whyFullBreaks(hopeless[0]!, server)}. Give each a ` +
          'primary key (ALTER TABLE … ADD PRIMARY KEY …), or publish selected tables without it.',
    sql,
  );
}

function checkWholeRows(snapshot: SourceSnapshot, published: readonly TableSnapshot[]): Finding {
  const { server } = snapshot;
  const id = 'identity-full';
  const partial = published.filter((table) => table.identity !== 'full');
  if (partial.length === 0) {
    return ok(id, 'Old rows are sent whole', `REPLICA IDENTITY FULL on ${published.length} published tables`);
  }
  const improvable = partial.filter((table) => betterIdentity(table, server) === 'full');
  if (improvable.length === 0) {
    const reasons = partial.map(
      (table) =>
        `${displayTable(table)}: ${whyFullBreaks(table, server) ?? `of extension ${table.extension}`}`,
    );
    return ok(id, 'Old rows are sent as whole as they can be', reasons.join('; '));
  }
  return problem(
    'warning',
    id,
    'Some old rows are not sent whole',
    `no REPLICA IDENTITY FULL on ${displayLargest(improvable)}`,
    'Until then "before" has the key alone, and unchanged large values may be absent. Tables made later need ' +
      'it too. Run as the owner of the tables:',
    alterations(improvable, server),
  );
}

function alterations(tables: readonly TableSnapshot[], server: SourceSnapshot['server']): readonly string[] {
  return tables.flatMap((table) => {
    const identity = betterIdentity(table, server);
    return identity ? [`ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY ${identity.toUpperCase()};`] : [];
  });
}

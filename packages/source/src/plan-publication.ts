import pg from 'pg';
import { withDescendants } from './identity.ts';
import { urgentIdentities } from './plan-identity.ts';
import { PlanError, type PlanStep } from './plan-step.ts';
import type { SourceSnapshot, TableSnapshot, Wanted } from './source-snapshot.ts';
import { displayTables, nameOf, quoteTable } from './table-name.ts';
import { unpublishedSelection } from './wanted-tables.ts';

const everyOperation = `publish = 'insert, update, delete, truncate'`;

/**
 * What an existing publication must be told before any table gets REPLICA IDENTITY FULL: with FULL, PostgreSQL
 * 18 refuses UPDATE and DELETE of a table whose generated columns aren't published.
 */
export function planGeneratedColumns(
  snapshot: SourceSnapshot,
  tables: readonly TableSnapshot[],
): readonly PlanStep[] {
  const { publication } = snapshot;
  const generated = tables.filter((table) => table.storedGeneratedColumns.length > 0);
  if (publication?.publishesGeneratedColumns !== false || generated.length === 0) return [];
  return [
    {
      id: 'publication generated columns',
      kind: 'publication',
      title: `Publish the stored generated columns of ${displayTables(generated)}`,
      sql: `ALTER PUBLICATION ${pg.escapeIdentifier(publication.name)} SET (publish_generated_columns = stored);`,
      why: 'Otherwise REPLICA IDENTITY FULL makes UPDATE and DELETE of these tables fail (PostgreSQL 18).',
    },
  ];
}

/** The publication, or what an existing one lacks. */
export function planPublication(
  snapshot: SourceSnapshot,
  wanted: Wanted,
  selected: readonly TableSnapshot[] | undefined,
): readonly PlanStep[] {
  return snapshot.publication
    ? planChanges(snapshot, snapshot.publication, selected)
    : [creation(snapshot, wanted.publication, selected)];
}

function creation(
  snapshot: SourceSnapshot,
  name: string,
  selected: readonly TableSnapshot[] | undefined,
): PlanStep {
  // publish_via_partition_root stays off: it hides TRUNCATE of a partition.
  const options =
    snapshot.server.version >= 180_000
      ? `${everyOperation}, publish_generated_columns = stored`
      : everyOperation;
  const scope = selected
    ? `TABLE ${publishable(snapshot, selected).map(quoteTable).join(', ')}`
    : 'ALL TABLES';
  return {
    id: 'publication create',
    kind: 'publication',
    title: `Publish the changes of ${selected ? displayTables(selected) : 'all tables'}`,
    sql: `CREATE PUBLICATION ${pg.escapeIdentifier(name)} FOR ${scope} WITH (${options});`,
    tables: (selected ?? []).map(nameOf),
    needs: urgentIdentities(selected ? withDescendants(snapshot, selected) : snapshot.tables),
    why: selected
      ? 'The server sends the changes of published tables only. Tables made later are not among them.'
      : 'The server sends the changes of published tables only. Tables made later are published at once, but ' +
        'need REPLICA IDENTITY FULL too: until then "before" has the key alone, and a table without a ' +
        'primary key refuses UPDATE and DELETE. Run this plan again after making tables.',
  };
}

function planChanges(
  snapshot: SourceSnapshot,
  publication: NonNullable<SourceSnapshot['publication']>,
  selected: readonly TableSnapshot[] | undefined,
): readonly PlanStep[] {
  const name = pg.escapeIdentifier(publication.name);
  const steps: PlanStep[] = [];
  if (publication.operations.length < 4) {
    steps.push({
      id: 'publication operations',
      kind: 'publication',
      title: 'Publish every operation',
      sql: `ALTER PUBLICATION ${name} SET (${everyOperation});`,
      why: `It sends ${publication.operations.join(', ') || 'nothing'} alone; the rest would go unrecorded.`,
    });
  }
  if (publication.isViaPartitionRoot) {
    steps.push({
      id: 'publication partition root',
      kind: 'publication',
      title: 'Publish partitions as what they are',
      sql: `ALTER PUBLICATION ${name} SET (publish_via_partition_root = false);`,
      why: 'With publish_via_partition_root, TRUNCATE of a partition is not sent at all.',
    });
  }
  const missing = selected ? unpublishedSelection(snapshot, selected) : [];
  if (missing.length > 0) {
    const tables = publishable(snapshot, missing);
    steps.push({
      id: 'publication add tables',
      kind: 'publication',
      title: `Publish the changes of ${displayTables(missing)} too`,
      sql: `ALTER PUBLICATION ${name} ADD TABLE ${tables.map(quoteTable).join(', ')};`,
      tables: tables.map(nameOf),
      needs: urgentIdentities(withDescendants(snapshot, missing)),
      why: 'The server sends the changes of published tables only.',
    });
  }
  return steps;
}

/** PostgreSQL 12 takes no partitioned tables: there their partitions stand for them. */
function publishable(snapshot: SourceSnapshot, tables: readonly TableSnapshot[]): readonly TableSnapshot[] {
  if (snapshot.server.version >= 130_000) return tables;
  const chosen = tables.flatMap((table) =>
    table.kind === 'partitioned'
      ? withDescendants(snapshot, [table]).filter((each) => each.kind === 'table' && !each.isPublished)
      : [table],
  );
  if (chosen.length > 0) return [...new Set(chosen)];
  throw new PlanError(
    'unpublishable-table',
    `PostgreSQL 12 publishes partitions, and there are none yet: ${displayTables(tables)}`,
    'Make a partition first, or upgrade to PostgreSQL 13 or later.',
  );
}

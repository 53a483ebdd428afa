import pg from 'pg';
import { hasWorkingIdentity, withDescendants } from './identity.ts';
import { plan } from './plan.ts';
import { PlanError, type PlanStep } from './plan-step.ts';
import type { PublicationSnapshot, SourceSnapshot, TableSnapshot, Wanted } from './source-snapshot.ts';
import { displayTable, displayTables, nameOf, quoteTable, type TableName } from './table-name.ts';
import { selectedTables } from './wanted-tables.ts';

/**
 * What is missing until the changes of these tables are recorded too: identity, what the role may read, publication.
 *
 * @throws {@link PlanError} where there is no publication, and as `plan` does.
 */
export function planTablesAdded(snapshot: SourceSnapshot, wanted: Wanted): readonly PlanStep[] {
  requirePublication(snapshot, wanted);
  return plan(snapshot, wanted).filter(
    ({ kind, id }) =>
      kind === 'identity' ||
      kind === 'publication' ||
      id.startsWith('role select') ||
      id.startsWith('role usage'),
  );
}

/** What the publications of a database send besides ours: a table's identity is theirs too. */
export type OtherPublications = (table: TableName) => boolean;

/**
 * Ends the recording of these tables: out of the publication first, since a published table without a primary key refuses
 * UPDATE and DELETE without REPLICA IDENTITY FULL; and then back to the identity that PostgreSQL gives.
 *
 * @param isElsewhere - tables of other publications keep their identity.
 * @throws {@link PlanError} for tables that are published by something that names no tables, or others.
 */
export function planTablesDropped(
  snapshot: SourceSnapshot,
  wanted: Wanted,
  isElsewhere: OtherPublications,
): readonly PlanStep[] {
  const publication = requirePublication(snapshot, wanted);
  const named = selectedTables(snapshot, wanted) ?? [];
  // There its partitions stand for a partitioned table: see plan-publication.ts.
  const selected = snapshot.server.version < 130_000 ? withDescendants(snapshot, named) : named;
  if (publication.isForAllTables) throw publishedAsAll(publication, selected);
  const listed = selected.filter((table) => table.isListed);
  const others = selected.filter((table) => !table.isListed && table.isPublished);
  if (others.length > 0) throw publishedBySomethingElse(snapshot, publication, others);
  const steps: PlanStep[] = [];
  const id = 'publication drop tables';
  if (listed.length > 0) {
    steps.push({
      id,
      kind: 'publication',
      title: `Publish the changes of ${displayTables(listed)} no longer`,
      sql: `ALTER PUBLICATION ${pg.escapeIdentifier(publication.name)} DROP TABLE ${listed.map(quoteTable).join(', ')};`,
      tables: listed.map(nameOf),
      why: 'What is recorded stays. What is written from here on is not recorded.',
    });
  }
  // A partition that the publication names by itself stays published.
  const ended = withDescendants(snapshot, selected).filter(
    (table) => selected.includes(table) || !table.isListed,
  );
  return [...steps, ...planIdentitiesReset(ended, isElsewhere, listed.length > 0 ? [id] : [])];
}

/** Back to the identity that PostgreSQL gives, where it is FULL. */
export function planIdentitiesReset(
  tables: readonly TableSnapshot[],
  isElsewhere: OtherPublications,
  needs: readonly string[],
): readonly PlanStep[] {
  return tables
    .filter((table) => table.identity === 'full' && table.extension === undefined && !isElsewhere(table))
    .map((table) => ({
      id: `identity ${displayTable(table)}`,
      kind: 'identity' as const,
      tables: [nameOf(table)],
      title: `Keep the key alone of old rows of ${displayTable(table)}`,
      sql: `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY DEFAULT;`,
      why: 'FULL writes whole old rows to the WAL, for which nobody is left to ask.',
      // Published, a table without a key would refuse UPDATE from then on.
      ...(hasWorkingIdentity({ ...table, identity: 'default' }) ? {} : { needs }),
    }));
}

function requirePublication(snapshot: SourceSnapshot, wanted: Wanted): PublicationSnapshot {
  if (snapshot.publication) return snapshot.publication;
  throw new PlanError(
    'no-publication',
    `The publication ${wanted.publication} does not exist`,
    'Make it by bemi setup; --tables selects what it publishes.',
  );
}

function publishedAsAll({ name }: PublicationSnapshot, tables: readonly TableSnapshot[]): PlanError {
  const [first] = tables;
  return new PlanError(
    'published-as-all',
    `The publication ${name} is for all tables: none can be taken out of it`,
    `Leave it out of the record by a tracking rule instead: bemi rules exclude ${first ? displayTable(first) : 'TABLE'} --reason "…"\n` +
      `Or name another publication, and run bemi setup --tables … with it; the worker then takes BEMI_PUBLICATION.`,
  );
}

function publishedBySomethingElse(
  snapshot: SourceSnapshot,
  { name }: PublicationSnapshot,
  tables: readonly TableSnapshot[],
): PlanError {
  const parents = snapshot.tables.filter(
    (table) => table.isListed && withDescendants(snapshot, [table]).some((each) => tables.includes(each)),
  );
  return new PlanError(
    'published-as-all',
    `The publication ${name} does not name ${displayTables(tables)}: ` +
      (parents.length > 0
        ? `it publishes them with ${displayTables(parents)}`
        : 'it publishes their whole schema'),
    parents.length > 0
      ? `Drop that: bemi tables drop ${parents.map(displayTable).join(' ')}`
      : `ALTER PUBLICATION ${pg.escapeIdentifier(name)} DROP TABLES IN SCHEMA …; then bemi tables add the others.`,
  );
}

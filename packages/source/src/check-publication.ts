import pg from 'pg';
import { type Finding, ok, problem } from './finding.ts';
import { plan } from './plan.ts';
import { PlanError, type PlanStep } from './plan-step.ts';
import type { PublicationSnapshot, SourceSnapshot, Wanted } from './source-snapshot.ts';
import { displayTable, displayTables, isSameTable, quoteTable } from './table-name.ts';
import { displayLargest } from './table-size.ts';
import { unpublishedSelection } from './wanted-tables.ts';

/** Whether everything that is wanted is published, and as it should be. */
export function checkPublication(snapshot: SourceSnapshot, wanted: Wanted): readonly Finding[] {
  const { publication } = snapshot;
  if (!publication) return [missingPublication(snapshot, wanted)];
  const scope = publication.isForAllTables ? 'for all tables' : 'for some tables';
  return [
    ok('publication', `The publication ${publication.name} exists`, scope),
    checkOperations(publication),
    checkPartitionRoot(publication),
    checkFilters(snapshot, publication),
    checkTables(snapshot, publication, wanted),
  ];
}

function missingPublication(snapshot: SourceSnapshot, wanted: Wanted): Finding {
  const title = `The publication ${wanted.publication} does not exist`;
  const evidence = `pg_publication of database ${snapshot.server.database} does not have it`;
  try {
    const steps = plan(snapshot, wanted).filter(
      (step) => step.kind === 'identity' || step.kind === 'publication',
    );
    return problem(
      'failure',
      'publication',
      title,
      evidence,
      'Make it by bemi setup, or run this, REPLICA IDENTITY first so that no table refuses an UPDATE meanwhile:' +
        (snapshot.slot
          ? '\nThe slot is older than the publication: changes written in between cannot be decoded. If nothing ' +
            'has been recorded from it yet, drop the slot and make it again afterwards.'
          : ''),
      sqlOf(steps),
    );
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return problem('failure', 'publication', title, evidence, `${error.message}. ${error.fix}`);
  }
}

function checkOperations(publication: PublicationSnapshot): Finding {
  const evidence = publication.operations.join(', ') || 'none';
  if (publication.operations.length === 4) {
    return ok('publication-operations', 'Every operation is published', evidence);
  }
  return problem(
    'failure',
    'publication-operations',
    'The publication leaves out operations',
    `it sends ${evidence}`,
    'What it leaves out is not recorded. Run as the owner of the publication:',
    [
      `ALTER PUBLICATION ${pg.escapeIdentifier(publication.name)} ` +
        `SET (publish = 'insert, update, delete, truncate');`,
    ],
  );
}

function checkPartitionRoot(publication: PublicationSnapshot): Finding {
  if (!publication.isViaPartitionRoot) {
    return ok('publication-partition-root', 'Partitions are published as themselves', 'via root is off');
  }
  return problem(
    'failure',
    'publication-partition-root',
    'TRUNCATE of a partition is not published',
    'publish_via_partition_root is on',
    'Run as the owner of the publication:',
    [`ALTER PUBLICATION ${pg.escapeIdentifier(publication.name)} SET (publish_via_partition_root = false);`],
  );
}

function checkFilters(snapshot: SourceSnapshot, publication: PublicationSnapshot): Finding {
  const cut = snapshot.tables.filter((table) => table.isPublished && table.hasColumnList);
  if (publication.filteredTables.length === 0 && cut.length === 0) {
    return ok('publication-filters', 'Rows are published whole', 'no row filters, no column lists');
  }
  const filters = publication.filteredTables.map((table) => `${displayTable(table)} has a row filter`);
  const lists = cut.map((table) => `${displayTable(table)} has a column list`);
  const listed = snapshot.tables.filter(
    (table) =>
      table.isListed &&
      (table.hasColumnList || publication.filteredTables.some((filtered) => isSameTable(filtered, table))),
  );
  const name = pg.escapeIdentifier(publication.name);
  return problem(
    'warning',
    'publication-filters',
    'Some rows or columns are not published',
    [...filters, ...lists].join('; '),
    'What they leave out is not recorded. Where that is not meant, run as the owner of the publication and the tables:',
    // In one transaction: what is written in between would be missing.
    listed.length === 0
      ? []
      : [
          'BEGIN;',
          ...listed.flatMap((table) => [
            `ALTER PUBLICATION ${name} DROP TABLE ${quoteTable(table)};`,
            `ALTER PUBLICATION ${name} ADD TABLE ${quoteTable(table)};`,
          ]),
          'COMMIT;',
        ],
  );
}

function checkTables(snapshot: SourceSnapshot, publication: PublicationSnapshot, wanted: Wanted): Finding {
  const id = 'publication-tables';
  if (wanted.tables === 'all') {
    if (publication.isForAllTables) {
      return ok(id, 'All tables are published', 'also those made later');
    }
    const missing = snapshot.tables.filter(
      (table) => table.kind === 'table' && table.persistence === 'permanent' && !table.isPublished,
    );
    const name = pg.escapeIdentifier(publication.name);
    if (missing.length === 0) {
      return ok(
        id,
        'All tables are published',
        `those made later are not: ALTER PUBLICATION ${name} ADD TABLE …`,
      );
    }
    return problem(
      'warning',
      id,
      'Some tables are not published',
      displayLargest(missing),
      'They are not recorded. Where that is not meant, run as the owner of the tables and the publication (a publication for all ' +
        'tables, which would have those made later too, is a new one: see bemi setup):',
      planned(snapshot, { ...wanted, tables: missing }),
    );
  }
  const names = wanted.tables;
  const unknown = names.filter((name) => !snapshot.tables.some((table) => isSameTable(table, name)));
  const known = snapshot.tables.filter((table) => names.some((name) => isSameTable(table, name)));
  const unpublished = unpublishedSelection(snapshot, known);
  if (unknown.length === 0 && unpublished.length === 0) {
    return ok(id, 'The selected tables are published', displayTables(names));
  }
  if (unknown.length > 0) {
    return problem(
      'failure',
      id,
      'Selected tables do not exist',
      displayTables(unknown),
      'Correct the selection: names are as the catalog spells them, case included.',
    );
  }
  return problem(
    'failure',
    id,
    'Selected tables are not published',
    displayTables(unpublished),
    'They are not recorded. Run as the owner of the tables and the publication:',
    planned(snapshot, { ...wanted, tables: names }),
  );
}

function planned(snapshot: SourceSnapshot, wanted: Wanted): readonly string[] {
  try {
    return sqlOf(
      plan(snapshot, wanted).filter((step) => step.kind === 'identity' || step.kind === 'publication'),
    );
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return [];
  }
}

function sqlOf(steps: readonly PlanStep[]): readonly string[] {
  return steps.map((step) => step.sql);
}

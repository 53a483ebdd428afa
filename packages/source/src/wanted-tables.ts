import { withDescendants } from './identity.ts';
import { PlanError } from './plan-step.ts';
import type { SourceSnapshot, TableSnapshot, Wanted } from './source-snapshot.ts';
import { displayTable, displayTables, isSameTable } from './table-name.ts';

/**
 * The tables that were selected by name, or `undefined` when all are wanted.
 *
 * @throws {@link PlanError} for a name that no table has, for an empty selection, and for tables that are
 * never written to the WAL.
 */
export function selectedTables(
  snapshot: SourceSnapshot,
  wanted: Wanted,
): readonly TableSnapshot[] | undefined {
  if (wanted.tables === 'all') return undefined;
  if (wanted.tables.length === 0) {
    throw new PlanError('no-tables', 'No table is selected', 'Name at least one table, or select all.');
  }
  const selected = wanted.tables.map((name) => {
    const table = snapshot.tables.find((candidate) => isSameTable(candidate, name));
    if (!table) {
      const { database } = snapshot.server;
      throw new PlanError(
        'unknown-table',
        `Database ${database} has no table ${displayTable(name)}`,
        `Write it as the catalog does, case included.${similarTables(snapshot, name.name)}`,
      );
    }
    return table;
  });
  const unlogged = selected.filter((table) => table.persistence !== 'permanent');
  if (unlogged.length > 0) {
    throw new PlanError(
      'unpublishable-table',
      `Not written to the WAL, so nothing can record them: ${displayTables(unlogged)}`,
      'Select other tables, or make unlogged ones ordinary ones by ALTER TABLE … SET LOGGED.',
    );
  }
  return selected;
}

/**
 * The tables whose changes shall be recorded. Of `all`, with a publication that is for some tables only,
 * those are meant: a publication can't be turned into one for all tables.
 */
export function wantedTables(snapshot: SourceSnapshot, wanted: Wanted): readonly TableSnapshot[] {
  const selected = selectedTables(snapshot, wanted);
  if (selected) return withDescendants(snapshot, selected);
  if (!snapshot.publication || snapshot.publication.isForAllTables) return snapshot.tables;
  return snapshot.tables.filter((table) => table.isPublished || table.isListed);
}

/** Those of the selected tables that the publication doesn't have yet. */
export function unpublishedSelection(
  snapshot: SourceSnapshot,
  selected: readonly TableSnapshot[],
): readonly TableSnapshot[] {
  if (snapshot.publication?.isForAllTables) return [];
  return selected.filter((table) => {
    if (table.isListed || table.isPublished) return false;
    if (table.kind === 'table') return true;
    const leaves = withDescendants(snapshot, [table]).filter((each) => each.kind === 'table');
    return leaves.length === 0 || leaves.some((leaf) => !leaf.isPublished);
  });
}

function similarTables(snapshot: SourceSnapshot, name: string): string {
  const wantedName = name.toLowerCase();
  const similar = snapshot.tables.filter((table) => table.name.toLowerCase() === wantedName);
  return similar.length > 0 ? ` There is ${displayTables(similar)}.` : '';
}

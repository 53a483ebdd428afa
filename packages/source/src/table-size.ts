import type { TableSnapshot } from './source-snapshot.ts';
import { displayTables } from './table-name.ts';

/** Many tables in one line of evidence: where there are too many to name, those with the most rows. */
export function displayLargest(tables: readonly TableSnapshot[]): string {
  if (tables.length <= 10) return displayTables(tables);
  return displayTables([...tables].sort((a, b) => (b.rowEstimate ?? 0) - (a.rowEstimate ?? 0)));
}

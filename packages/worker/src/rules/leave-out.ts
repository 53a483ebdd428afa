import type { BeforeKind } from '@bemi-db/replication/pgoutput';
import { columnUnchanged, type Tuple } from '@bemi-db/replication/tuple';
import { onlyMarkedDiffer } from '../row-json.ts';
import type { TableTreatment } from './table-treatment.ts';

/** Whether the rules leave a change out: only where the WAL has the whole old row is it known what differs. */
export function isLeftOut(
  { isExcluded, ignored }: TableTreatment,
  beforeKind: BeforeKind,
  before: Tuple | undefined,
  after: Tuple | undefined,
): boolean {
  if (isExcluded) return true;
  if (!ignored || beforeKind !== 'full' || !before || !after) return false;
  return onlyMarkedDiffer(before, after, ignored);
}

/** Marks values as ones that the WAL does not hold, which is how a row is written without them. */
export function leaveOut(columns: readonly number[], ...rows: readonly (Tuple | undefined)[]): void {
  for (const row of rows) for (const column of columns) if (row) row.kinds[column] = columnUnchanged;
}

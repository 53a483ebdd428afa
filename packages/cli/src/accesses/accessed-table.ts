import type { AccessedTable } from '@bemi-db/trail/access/access';

/** A table as an access names it. */
export function accessedTable({
  schema,
  name,
}: {
  readonly schema?: string;
  readonly name: string;
}): AccessedTable {
  return { ...(schema === undefined ? {} : { schema }), table: name };
}

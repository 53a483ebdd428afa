import type { Table } from '../../api/log.ts';

/**
 * The table that a column seems to refer to, by its name alone: `patientId`, `patient_id` → Patient or patients. The log
 * knows no foreign keys, so it is a guess. Only tables with a key of one column, of which a value tells the record.
 */
export function guessedReference(column: string, tables: readonly Table[]): Table | undefined {
  const match = /^(?<name>.+?)_?(?<key>id|uuid|key)$/i.exec(column);
  if (!match?.groups) return undefined;
  // `paid` has no capital and no underscore before its `id`: it is a word.
  const isWord = !/(_(id|uuid|key)|I[dD]|U[uU][iI][dD]|Key)$/.test(column);
  if (isWord) return undefined;
  const name = comparable(match.groups['name']!);
  const candidates = tables.filter(({ table, key }) => key.length === 1 && namesOf(table).includes(name));
  return candidates.length === 1 ? candidates[0] : undefined;
}

/** Columns of tables that seem to refer to this one. */
export function guessedReferrers(
  of: Table,
  tables: readonly Table[],
): { readonly table: Table; readonly column: string }[] {
  if (of.key.length !== 1) return [];
  return tables.flatMap((table) =>
    table.columns
      .filter(
        (column) => guessedReference(column, tables) === of && !(table === of && table.key[0] === column),
      )
      .map((column) => ({ table, column })),
  );
}

/** A table is called by the name of one of its things, or of many. */
function namesOf(table: string): string[] {
  const name = comparable(table);
  return [
    name,
    ...(name.endsWith('ies') ? [`${name.slice(0, -3)}y`] : []),
    ...(name.endsWith('es') ? [name.slice(0, -2)] : []),
    ...(name.endsWith('s') ? [name.slice(0, -1)] : []),
  ];
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

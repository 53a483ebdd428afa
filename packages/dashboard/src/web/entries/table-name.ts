/** `public.Patient`, as filters and addresses name a table; quoted where a name holds what would end it. */
export function tableName(schema: string, table: string): string {
  return `${part(schema)}.${part(table)}`;
}

function part(name: string): string {
  return /^[^\s".]+$/u.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

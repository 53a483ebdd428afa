import { jsonMembers } from '@bemi-db/trail/facts/json-members';

/**
 * SQL that puts a row into its table again. PostgreSQL reads the row's JSON by the columns' own types, so that every type
 * comes back as it was, numbers to the last digit; `OVERRIDING SYSTEM VALUE` lets identity columns take theirs.
 */
export function insertSql(schema: string, table: string, row: string): string {
  const name = `${identifier(schema)}.${identifier(table)}`;
  const columns = jsonMembers(row)
    .map((member) => identifier(member.name))
    .join(', ');
  return [
    `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE`,
    `SELECT ${columns} FROM json_populate_record(NULL::${name}, ${literal(row)});`,
  ].join('\n');
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Backslashes mean the same whatever `standard_conforming_strings` is: only `E''` gives them a meaning. */
function literal(text: string): string {
  const quoted = `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
  return text.includes('\\') ? `E${quoted}` : quoted;
}

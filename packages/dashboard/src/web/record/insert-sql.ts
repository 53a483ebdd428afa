import { quotedName, quotedText } from '@bemi-db/trail/facts/change-sql';
import { jsonMembers } from '@bemi-db/trail/facts/json-members';

/**
 * SQL that puts a row into its table again. PostgreSQL reads the row's JSON by the columns' own types, so that every type
 * comes back as it was, numbers to the last digit; `OVERRIDING SYSTEM VALUE` lets identity columns take theirs.
 */
export function insertSql(schema: string, table: string, row: string): string {
  const name = `${quotedName(schema)}.${quotedName(table)}`;
  const columns = jsonMembers(row)
    .map((member) => quotedName(member.name))
    .join(', ');
  return [
    `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE`,
    `SELECT ${columns} FROM json_populate_record(NULL::${name}, ${quotedText(row)});`,
  ].join('\n');
}

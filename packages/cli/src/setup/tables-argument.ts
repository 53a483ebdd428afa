import { parseTableName, type TableName } from '@bemi-db/source/table-name';
import { usageError } from '../cli-error.ts';

/** `a,b.c,"odd.name"`: tables, of schema `public` where none is named. */
export function parseTables(text: string): TableName[] {
  const parts = text.match(/(?:"(?:[^"]|"")*"|[^,"])+/gsu) ?? [];
  return parts
    .filter((part) => part.trim() !== '')
    .map((part) => {
      try {
        return parseTableName(part);
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause;
        throw usageError(
          `--tables: ${JSON.stringify(part)} is not the name of a table`,
          'Write names as the catalog does, separated by commas: --tables Patient,sales.order',
        );
      }
    });
}

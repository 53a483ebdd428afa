import { expect, test } from 'vitest';
import { insertSql } from './insert-sql.ts';

test('SQL that puts a row in again quotes what it has to', () => {
  expect(insertSql('public', 'a"b', '{"id":9007199254740993,"na\\"me":"O\'Brien"}')).toBe(
    [
      'INSERT INTO "public"."a""b" ("id", "na""me") OVERRIDING SYSTEM VALUE',
      `SELECT "id", "na""me" FROM json_populate_record(NULL::"public"."a""b", E'{"id":9007199254740993,"na\\\\"me":"O''Brien"}');`,
    ].join('\n'),
  );
});

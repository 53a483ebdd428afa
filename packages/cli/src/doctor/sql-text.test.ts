import { ok, problem } from '@bemi-db/source/finding';
import { expect, test } from 'vitest';
import { sqlText } from './sql-text.ts';

test('each statement is there once, and what others may rely on is a comment', () => {
  const bad = (id: string, ...sql: string[]) => problem('warning', id, `The ${id}`, 'seen', 'Run:', sql);
  expect(
    sqlText([
      ok('well', 'Well', 'seen'),
      bad('identity-missing', 'ALTER TABLE a REPLICA IDENTITY FULL;'),
      bad('identity-full', 'ALTER TABLE a REPLICA IDENTITY FULL;', 'ALTER TABLE b REPLICA IDENTITY FULL;'),
      bad(
        'filters',
        'BEGIN;',
        'ALTER PUBLICATION p DROP TABLE a;',
        'ALTER PUBLICATION p ADD TABLE a;',
        'COMMIT;',
      ),
      bad('again', 'BEGIN;', 'ALTER PUBLICATION p DROP TABLE a;', 'COMMIT;'),
      bad(
        'slot',
        "SELECT pg_drop_replication_slot('s');",
        "SELECT pg_create_logical_replication_slot('s', 'pgoutput');",
      ),
    ]),
  ).toBe(`\
-- identity-missing: The identity-missing
ALTER TABLE a REPLICA IDENTITY FULL;

-- identity-full: The identity-full
ALTER TABLE b REPLICA IDENTITY FULL;

-- filters: The filters
BEGIN;
ALTER PUBLICATION p DROP TABLE a;
ALTER PUBLICATION p ADD TABLE a;
COMMIT;

-- slot: The slot
-- To be considered first: bemi doctor says why.
-- SELECT pg_drop_replication_slot('s');
-- SELECT pg_create_logical_replication_slot('s', 'pgoutput');
`);
});

import { expect, test } from 'vitest';
import { slotCreation } from './slot-creation.ts';

test.each([
  ['PostgreSQL 16', { version: 160_014, isInRecovery: false }, ''],
  ['PostgreSQL 17', { version: 170_000, isInRecovery: false }, ', failover => true'],
  ['a standby', { version: 180_004, isInRecovery: true }, ''],
])('on %s', (_, server, options) => {
  expect(slotCreation(`it's`, server)).toBe(
    `SELECT pg_create_logical_replication_slot('it''s', 'pgoutput'${options});`,
  );
});

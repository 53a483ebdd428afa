import type { Change } from '@bemi-db/trail/query/change';
import { expect, test } from 'vitest';
import { guideForm } from './guide-form.ts';

const change: Change = {
  sequence: '7',
  operation: 'UPDATE',
  schema: 'public',
  table: 'Account',
  primaryKey: '1',
  beforeKind: 'full',
  before: '{"balance":9007199254740993,"rate":1.00}',
  after: '{"balance":9007199254740995,"rate":1.10}',
  changed: ['balance', 'rate'],
  context: '{"userId": "u1","tags":["a", "b"]}',
  authenticity: 'unsigned',
  timestamp: '2025-12-09T10:30:00.123456Z',
  transactionId: '740',
  transaction: '1',
  position: '0/1A2B',
  rowQuarantine: undefined,
  contextQuarantine: undefined,
  erased: false,
  contextErased: false,
  actor: undefined,
  actorErased: false,
};

test("six members in the guide's order, values digit for digit", () => {
  expect(guideForm([change])).toBe(`[
  {
    "operation": "UPDATE",
    "table": "Account",
    "before": {
      "balance": 9007199254740993,
      "rate": 1.00
    },
    "after": {
      "balance": 9007199254740995,
      "rate": 1.10
    },
    "context": {
      "userId": "u1",
      "tags": ["a", "b"]
    },
    "timestamp": "2025-12-09T10:30:00.123456Z"
  }
]`);
});

test('a side that there is not is null', () => {
  const text = guideForm([
    { ...change, operation: 'INSERT', before: undefined, context: undefined },
    { ...change, operation: 'DELETE', after: undefined, context: '{}' },
  ]);
  expect(JSON.parse(text)).toMatchObject([
    { operation: 'INSERT', before: null, context: null },
    { operation: 'DELETE', after: null, context: {} },
  ]);
});

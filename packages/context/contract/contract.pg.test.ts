import { describe, expect, it } from 'vitest';
import { adapters } from './adapters.ts';
import { contractCases } from './contract-cases.ts';
import { contractTable } from './contract-table.ts';
import { type CaseOutcome, recordCases } from './record-cases.ts';

const columns = new Map<string, ReadonlyMap<string, CaseOutcome>>();

describe.each(Object.entries(adapters))('%s', (name, load) => {
  it('has the context recorded with each write', async () => {
    const outcomes = await recordCases(await load());
    const wanted = contractCases.map(({ name, recorded }) => {
      const outcome = outcomes.get(name);
      return [name, outcome && 'notOffered' in outcome ? outcome : { recorded: inAnyOrder(recorded) }];
    });
    const found = [...outcomes].map(([name, outcome]) => [
      name,
      'recorded' in outcome ? { recorded: inAnyOrder(outcome.recorded) } : outcome,
    ]);
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(wanted));
    columns.set(name, outcomes);
  });
});

it('is what docs/context-adapters.md says (npm run contract:table writes it)', async ({ skip }) => {
  skip(columns.size < Object.keys(adapters).length, 'not every adapter was run, or one failed');
  await expect(contractTable(columns)).toMatchFileSnapshot('../../../docs/context-adapters.md');
});

/** Concurrent requests commit in any order; the changes of a transaction are in theirs. */
function inAnyOrder(transactions: readonly unknown[]): string[] {
  return transactions.map((transaction) => JSON.stringify(transaction, membersInOrder)).sort();
}

/** jsonb has an order of its own for members. */
function membersInOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

import { describe, expect, it } from 'vitest';
import { SmallLog } from '../test/small-log.ts';
import { RecordRules } from './record-rules.ts';

/** The rules over the records alone, without those of some entries. */
function rulesOf(log: SmallLog, isGone: (sequence: number) => boolean = () => false): RecordRules {
  const rules = new RecordRules();
  for (const [sequence, { record }] of log.entries.entries())
    if (!isGone(sequence)) rules.entry(record, 0, record.length);
  rules.missing(log.size);
  rules.finish();
  return rules;
}

function logOf(transactions: number): SmallLog {
  const log = SmallLog.start();
  for (let i = 0; i < transactions; i++) log.transaction(3);
  return log;
}

describe('records by themselves', () => {
  it('show a log that is as it was written', () => {
    const log = logOf(20);
    log.event('gap', {});
    log.continueFrom(0x9000n);
    log.generation = 2;
    log.transaction(2, { contexts: 0 });
    log.event('skip', {});
    log.continueFrom(0xa000n);
    log.transaction(2);
    log.event('something-new', {});
    log.transaction(0, { contexts: 0 }); // of DDL alone
    log.push({ record: Uint8Array.of(9, 9, 0, 0, 0, 0, 0, 0, 0, log.size, 1, 2), fields: null });
    const rules = rulesOf(log);
    expect(rules.findings).toEqual([]);
    expect(rules).toMatchObject({ changes: 64, contexts: 21, transactions: 23, opaque: 1 });
    expect(Object.fromEntries(rules.events)).toEqual({
      ...{ lifecycle: 1, key: 1, relation: 1 },
      ...{ gap: 1, skip: 1, 'something-new': 1 },
    });
  });

  it('show transactions, coverage, relations and generations that no worker writes', () => {
    const broken = (write: (log: SmallLog) => void) => {
      const log = logOf(3);
      write(log);
      log.transaction(1);
      return rulesOf(log).findings;
    };
    expect(broken((log) => log.transaction(2, { commit: { changeCount: 3 } }))).toMatchObject([
      { code: 'broken-transaction', rule: 'change-count' },
    ]);
    expect(broken((log) => log.transaction(2, { change: { contextNumber: 1 } }))).toMatchObject([
      { code: 'broken-transaction', rule: 'no-such-context' },
    ]);
    expect(broken((log) => log.continueFrom(0x9000n))).toMatchObject([{ code: 'coverage-gap' }]);
    expect(broken((log) => log.transaction(1, { change: { relation: 3 } }))).toMatchObject([
      { code: 'unknown-relation', relation: 3 },
    ]);
    expect(broken((log) => log.transaction(1, { commit: { generation: 2 } }))).toMatchObject([
      { code: 'wrong-generation', generation: 2, expected: 1 },
    ]);
    const other = SmallLog.start();
    other.entries.reverse();
    const rules = new RecordRules();
    for (const [sequence, { record }] of other.entries.entries()) {
      record[9] = sequence;
      rules.entry(record, 0, record.length);
    }
    expect(rules.findings).toEqual([{ code: 'broken-start', sequence: 0 }]);
  });

  it('say nothing against what follows a hole', () => {
    const log = logOf(40);
    const rules = rulesOf(log, (sequence) => sequence >= 20 && sequence < 60);
    expect(rules.findings).toEqual([{ code: 'missing', sequence: 20, count: 40 }]);
    const startless = rulesOf(log, (sequence) => sequence < 100);
    expect(startless.findings).toEqual([{ code: 'missing', sequence: 0, count: 100 }]);
  });

  it('may lack what stands before an event of retention, and nothing else', () => {
    const log = logOf(40);
    const before = log.event('retention', { before: 60 });
    log.transaction(5);
    const rules = rulesOf(log, (sequence) => sequence < 60);
    expect(rules.findings).toEqual([]);
    expect(rules.dropped.ranges).toEqual([[0, 59]]);
    expect(rulesOf(log, (sequence) => sequence === before + 1).findings).toMatchObject([
      { code: 'missing', sequence: before + 1, count: 1 },
    ]);
  });
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { auditServerFaults } from '../test/faults/audit-server-faults.ts';
import { clockFaults } from '../test/faults/clock-faults.ts';
import { connectionFaults } from '../test/faults/connection-faults.ts';
import { diskFaults } from '../test/faults/disk-faults.ts';
import { failoverFaults } from '../test/faults/failover-faults.ts';
import type { Fault } from '../test/faults/fault.ts';
import { restoredSourceFaults } from '../test/faults/restored-source-faults.ts';
import { slotFaults } from '../test/faults/slot-faults.ts';
import { sourceServerFaults } from '../test/faults/source-server-faults.ts';

const tables: readonly [string, readonly Fault[]][] = [
  ['The audit server', [...auditServerFaults, ...diskFaults]],
  ['The source server', sourceServerFaults],
  ['The network', connectionFaults],
  ['The slot', slotFaults],
  ['A source that was restored, or is another', restoredSourceFaults],
  ['Failover', failoverFaults],
  ['Clocks', clockFaults],
];

/** What docs/faults.md says of the rows, between its headings. */
function rendered(): string {
  return tables
    .map(([title, faults]) => {
      const rows = faults.map(
        ({ fault, how, outcome, isLong }) =>
          `| ${fault} | ${how}${isLong ? ' *(long)*' : ''} | ${outcome.replace(/^refuses (.*)/, 'refuses `$1`')} |`,
      );
      return [
        `## ${title}`,
        '',
        '| fault | how the test does it | outcome |',
        '|---|---|---|',
        ...rows,
        '',
      ].join('\n');
    })
    .join('\n');
}

test('docs/faults.md has the rows that are tested', () => {
  const text = readFileSync(new URL('../../../docs/faults.md', import.meta.url), 'utf8');
  expect(text.slice(text.indexOf('## The audit server'))).toBe(rendered());
});

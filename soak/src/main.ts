import { parseArgs } from 'node:util';
import { newSeed } from '@bemi-db/test-kit/random-workload/seeded-random';
import { runSoak, type SoakResult } from './run-soak.ts';

const usage = `Usage: npm run soak -- [--minutes 10] [--seed N] [--broken] [--json]

Random clients write into a PostgreSQL, faults strike at it, at the worker, at the audit database and at the networks
between them, and now and then the log is held against its source: each transaction, each table, each proof. It stops
at the first difference, with exit code 1.

  --minutes N   how long (default: 10)
  --seed N      of what clients and faults choose (default: another one each time; it is printed)
  --broken      breaks a rule on purpose (the slot is told before what it is told of is stored), to see that it is found
  --json        one JSON object at the end
`;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    broken: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});
const minutes = Number(values.minutes);
const seed = values.seed === undefined ? newSeed() : Number(values.seed);
if (values.help || !(minutes > 0) || !Number.isSafeInteger(seed)) {
  process.stderr.write(usage);
  process.exit(values.help ? 0 : 2);
}

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());
const startedAt = performance.now();
process.stderr.write(`seed ${seed}, ${minutes} minutes\n`);
const result = await runSoak({
  minutes,
  seed,
  isBroken: values.broken,
  signal: stop.signal,
  report: (line) => process.stderr.write(`${clock()}  ${line}\n`),
});
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : resultText(result));
process.exit(result.difference === undefined ? 0 : 1);

function clock(): string {
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

function resultText(soak: SoakResult): string {
  const { clients } = soak;
  const number = (value: number): string => value.toLocaleString('en').padStart(12);
  const rows: [string, number][] = [
    ['transactions compared', soak.transactions],
    ['changes compared', soak.changes],
    ['entries verified', soak.entries],
    ['commits that clients saw', clients.committed],
    ['rollbacks', clients.rolledBack],
    ['prepared transactions', clients.prepared],
    ['commits without an answer', clients.unknown],
    ['reconnects of clients', clients.reconnects],
    ...sorted(soak.faults),
    ...sorted(soak.failpoints).map(([name, times]): [string, number] => [`failed at ${name}`, times]),
  ];
  const lines = rows.map(([name, value]) => `${name.padEnd(40)}${number(value)}`);
  const end = soak.difference === undefined ? 'differences: 0' : `differences: 1\n${soak.difference}`;
  return `${[`seed ${soak.seed}, ${soak.rounds} rounds, ${clock()}`, ...lines, end].join('\n')}\n`;
}

function sorted(counts: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1));
}

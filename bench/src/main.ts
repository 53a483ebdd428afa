import { parseArgs } from 'node:util';
import { benchDrain } from './drain.ts';
import type { Spread } from './statistics.ts';

const usage = `Usage: npm run bench -- drain [--transactions 150000] [--rounds 3] [--json]

  drain   how fast a backlog is recorded, beside PostgreSQL's own subscription, in changes a second
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    transactions: { type: 'string', default: '150000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});

if (positionals[0] !== 'drain') {
  process.stderr.write(usage);
  process.exit(2);
}

const result = await benchDrain({
  transactions: Number(values.transactions),
  rounds: Number(values.rounds),
  report: (line) => process.stderr.write(`${line}\n`),
});

if (values.json) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
} else {
  const row = (name: string, { median, least, most }: Spread) =>
    `${name.padEnd(34)}${[median, least, most].map((value) => Math.round(value).toLocaleString('en').padStart(10)).join('')}`;
  const { median, least, most } = result.ratio;
  process.stdout.write(
    [
      `${result.changes.toLocaleString('en')} changes, ${values.rounds} rounds`,
      `${'changes a second'.padEnd(34)}${['median', 'least', 'most'].map((name) => name.padStart(10)).join('')}`,
      row('bemi worker', result.worker),
      row('native subscription', result.subscription),
      ...(result.receiver ? [row('pg_recvlogical to nowhere', result.receiver)] : []),
      `worker ÷ subscription: ${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`,
      `the worker's peak memory: ${Math.round(result.workerPeakRssBytes / 1024 / 1024)} MiB`,
      '',
    ].join('\n'),
  );
}

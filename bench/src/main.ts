import { parseArgs } from 'node:util';
import { benchContext } from './context.ts';
import { benchDrain, type DrainOptions } from './drain.ts';
import { benchLive } from './live.ts';
import { benchOverhead } from './overhead.ts';
import { benchQueries } from './queries.ts';
import type { Spread } from './statistics.ts';
import { benchVerify } from './verify.ts';

const usage = `Usage: npm run bench -- drain|verify [--transactions 150000] [--rounds 3] [--json]
       npm run bench -- context [--writes 2000] [--rounds 15] [--json]
       npm run bench -- overhead [--writes 2000] [--rounds 5] [--json]
       npm run bench -- queries [--changes 500000,5000000] [--rounds 5] [--json]
       npm run bench -- live [--writes 100] [--json]

  drain   how fast a backlog is recorded, beside PostgreSQL's own subscription, in changes a second
  verify  how fast a whole log is verified, beside COPY … TO STDOUT of its partitions, in entries a second
  context what a context costs single-row writes, beside the same without Bemi and with triggers
  overhead what being recorded costs the source: WAL, CPU and network, beside the same without Bemi
  queries how long the first page of each kind of search takes, and how that grows with the log
  live    how long a committed change takes to the audit database, and to a page that is open
`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    transactions: { type: 'string', default: '150000' },
    writes: { type: 'string' },
    changes: { type: 'string', default: '500000,5000000' },
    rounds: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const benchmarks: Record<string, () => Promise<void>> = { drain, verify, context, overhead, queries, live };
const benchmark = benchmarks[positionals[0] ?? ''];
if (!benchmark) {
  process.stderr.write(usage);
  process.exit(2);
}
await benchmark();

async function drain(): Promise<void> {
  const result = await benchDrain(settings());
  print(result, [
    `${result.changes.toLocaleString('en')} changes, ${settings().rounds} rounds`,
    heading('changes a second'),
    row('bemi worker', result.worker),
    row('bemi worker without proofs', result.withoutProofs),
    row('native subscription', result.subscription),
    row('native subscription, durable', result.durableSubscription),
    ...(result.receiver ? [row('pg_recvlogical to nowhere', result.receiver)] : []),
    ratio('worker ÷ subscription', result.ratio),
    ratio('worker ÷ durable subscription', result.durableRatio),
    ratio('worker ÷ worker without proofs', result.proofRatio),
    `the worker's peak memory: ${Math.round(result.workerPeakRssBytes / 1024 / 1024)} MiB`,
  ]);
}

async function verify(): Promise<void> {
  const result = await benchVerify(settings());
  print(result, [
    `${result.entries.toLocaleString('en')} entries, ${settings().rounds} rounds`,
    heading('entries a second'),
    row('bemi verify', result.verify),
    row('COPY … TO STDOUT', result.copy),
    row('COPY … TO STDOUT (FORMAT binary)', result.binaryCopy),
    ratio('verify ÷ COPY', result.ratio),
    ratio('verify ÷ binary COPY', result.binaryRatio),
  ]);
}

async function context(): Promise<void> {
  const costs = await benchContext({ ...settings(15), writes: Number(values.writes ?? 2000) });
  print(
    costs,
    costs.flatMap((cost) => [
      heading(`${cost.connections} connections, ${cost.write}: ${cost.contestant}`),
      row('  writes a second', cost.writesPerSecond),
      `  ${ratio('of the throughput without Bemi', cost.ratio)}`,
      ...(cost.cpuRatio ? [`  ${ratio('by CPU time', cost.cpuRatio)}`] : []),
      `  CPU µs a write: client ${cost.clientCpuMicroseconds.toFixed(1)}, server ${cost.serverCpuMicroseconds?.toFixed(1) ?? '?'}`,
      `  ${cost.walBytesPerWrite} bytes of WAL, ${cost.roundTripsPerWrite.toFixed(2)} round trips a write`,
    ]),
  );
}

async function overhead(): Promise<void> {
  const result = await benchOverhead({ ...settings(5), writes: Number(values.writes ?? 2000) });
  print(result, [
    ...result.costs.map(
      ({ kind, walBytes, walBytesWithout }) =>
        `${kind}: ${walBytes} bytes of WAL, ${walBytesWithout} without Bemi`,
    ),
    ratio('WAL, with ÷ without', result.walRatio),
    ...(result.sessionCpuRatio
      ? [ratio("CPU of the application's sessions, with ÷ without", result.sessionCpuRatio)]
      : []),
    ...(result.serverCpuRatio
      ? [ratio('CPU of the server, decoding included, with ÷ without', result.serverCpuRatio)]
      : []),
    `CPU of the worker: ${result.workerMicroseconds.toFixed(1)} µs a change`,
    `from the source to the worker: ${result.networkBytesPerChange} bytes a change`,
  ]);
}

async function queries(): Promise<void> {
  const { report, rounds } = settings(5);
  const changes = values.changes.split(',').map(Number);
  const result = await benchQueries({ changes, rounds, report });
  const cells = (texts: readonly string[]): string => texts.map((text) => text.padStart(16)).join('');
  print(result, [
    ...result.fills.map(
      ({ changes, entries, fillSeconds, indexSeconds, indexBytes }) =>
        `${changes.toLocaleString('en')} changes, ${entries.toLocaleString('en')} entries: written in ${Math.round(fillSeconds)} s, indexed in ${Math.round(indexSeconds)} s (${Math.round(indexBytes / 1e6)} MB)`,
    ),
    `${'ms, first page of 50'.padEnd(48)}${cells([...changes.map((each) => each.toLocaleString('en')), 'growth', 'found'])}`,
    ...result.queries.map(({ name, times }) => {
      const [first, last] = [times[0]!, times.at(-1)!];
      const found = `${times.map((each) => each.found).join(' → ')}${last.end === 'budget' ? ', time up' : ''}`;
      const growth = (last.ms.median / first.ms.median).toFixed(2);
      return `${name.padEnd(48)}${cells([...times.map(({ ms }) => ms.median.toFixed(1)), growth, found])}`;
    }),
  ]);
}

async function live(): Promise<void> {
  const { report } = settings();
  const result = await benchLive({ writes: Number(values.writes ?? 100), report });
  print(result, [
    heading('ms from the COMMIT'),
    row('in the audit database', result.recordedMs),
    row('at a page that is open', result.streamedMs),
  ]);
}

function settings(rounds = 3): DrainOptions {
  return {
    transactions: Number(values.transactions),
    rounds: Number(values.rounds ?? rounds),
    report: (line) => process.stderr.write(`${line}\n`),
  };
}

function print(result: object, lines: readonly string[]): void {
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${lines.join('\n')}\n`);
}

function heading(unit: string): string {
  return `${unit.padEnd(34)}${['median', 'least', 'most'].map((name) => name.padStart(10)).join('')}`;
}

function row(name: string, { median, least, most }: Spread): string {
  const numbers = [median, least, most].map((value) => Math.round(value).toLocaleString('en').padStart(10));
  return `${name.padEnd(34)}${numbers.join('')}`;
}

function ratio(name: string, { median, least, most }: Spread): string {
  return `${name}: ${median.toFixed(2)} (${least.toFixed(2)} to ${most.toFixed(2)})`;
}

import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import type pg from 'pg';

/** A server's clock against that of this machine. */
export interface ClockReading {
  /** How far it is ahead; negative where it is behind. */
  readonly aheadMs: number;
  /** By so much it may be wrong. */
  readonly uncertaintyMs: number;
}

const id = 'clocks';
const tolerableMs = 5_000;

/** Asks a server for its time; the answer was given some time between question and arrival. */
export async function readClock(client: pg.ClientBase): Promise<ClockReading> {
  const before = Date.now();
  const { rows } = await client.query<{ ms: number }>(
    'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms',
  );
  const after = Date.now();
  return { aheadMs: rows[0]!.ms - (before + after) / 2, uncertaintyMs: (after - before) / 2 };
}

/** Whether source, audit database and this machine agree about the time: records have those of all three. */
export function checkClocks(source: ClockReading | undefined, audit: ClockReading | undefined): Finding {
  const readings = [
    ...(source ? [['the source', source] as const] : []),
    ...(audit ? [['the audit database', audit] as const] : []),
  ];
  if (readings.length === 0) return unknown(id, 'The clocks were not compared', 'no server was reached');
  const evidence = readings.map(([name, reading]) => `${name} ${aheadText(reading.aheadMs)}`).join(', ');
  const all = [0, ...readings.map(([, { aheadMs }]) => aheadMs)];
  const slack = Math.max(...readings.map(([, { uncertaintyMs }]) => uncertaintyMs));
  const spreadMs = Math.max(...all) - Math.min(...all) - slack;
  if (spreadMs <= tolerableMs) return ok(id, 'The clocks agree', `compared with this machine: ${evidence}`);
  return problem(
    'warning',
    id,
    'The clocks differ',
    `compared with this machine: ${evidence}`,
    'Times in the log then contradict each other, and signed contexts become stale. Only root of each machine can set its clock, by NTP: timedatectl set-ntp true',
  );
}

function aheadText(aheadMs: number): string {
  const seconds = Math.abs(aheadMs) / 1_000;
  const text = seconds < 10 ? `${seconds.toFixed(1)} s` : `${Math.round(seconds)} s`;
  return `${text} ${aheadMs < 0 ? 'behind' : 'ahead'}`;
}

import { setTimeout as delay } from 'node:timers/promises';
import { parseLsn } from '@bemi-db/replication/lsn';
import type pg from 'pg';
import { bytesText } from './bytes-text.ts';
import { check } from './check.ts';
import { checkContext } from './check-context.ts';
import { checkLag, type LagLimits } from './check-lag.ts';
import { checkLink } from './check-link.ts';
import { checkOperation } from './check-operation.ts';
import type { ParsedConnection } from './connection-string.ts';
import { checkDdl } from './ddl/check-ddl.ts';
import { inspectDdl } from './ddl/inspect-ddl.ts';
import { type Finding, ok, problem } from './finding.ts';
import { inspect } from './inspect.ts';
import { inspectContext } from './inspect-context.ts';
import { inspectOperation } from './inspect-operation.ts';
import { oldestVersion, type SourceSnapshot } from './source-snapshot.ts';
import { tlsModeOf } from './tls-mode.ts';

export interface SourceChecksOptions {
  readonly slot: string;
  readonly publication: string;
  readonly limits: LagLimits;
  /** So long may a worker that is there take to catch up before it counts as behind. Default: not at all. */
  readonly lagPatienceMs?: number;
}

export interface SourceChecks {
  readonly findings: readonly Finding[];
  /** What they were found by. */
  readonly snapshot: SourceSnapshot;
}

const lagPollMs = 250;

/** Everything that can be checked on a source by looking at it. */
export async function checkSource(
  client: pg.ClientBase,
  connection: ParsedConnection,
  options: SourceChecksOptions,
): Promise<SourceChecks> {
  const { slot, publication, limits, lagPatienceMs = 0 } = options;
  const snapshot = await inspectCalm(client, options, lagPatienceMs);
  const isReadable = snapshot.server.version >= oldestVersion;
  const findings = [
    ok('source-connection', 'It can be reached', `PostgreSQL ${snapshot.server.versionText}`),
    ...check(snapshot, { slot, publication, tables: 'all' }),
    ...checkWorker(snapshot),
    ...(isReadable ? checkContext(snapshot, await inspectContext(client)) : []),
    ...(isReadable ? await checkRunning(client, snapshot, slot, limits, connection) : []),
  ];
  return { findings, snapshot };
}

async function checkRunning(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  slot: string,
  limits: LagLimits,
  connection: ParsedConnection,
): Promise<readonly Finding[]> {
  const operation = await inspectOperation(client, slot);
  const { setting, host } = connection.target;
  const { link, workerLink } = operation;
  return [
    ...checkOperation(snapshot, operation, limits, connection.target),
    ...checkDdl(await inspectDdl(client)),
    checkLink({ id: 'source-link', setting, host, mode: tlsModeOf(connection), link, workerLink }),
  ];
}

/** Looks at the source, for a few seconds if need be: what a worker catches up with is no lag. */
async function inspectCalm(
  client: pg.ClientBase,
  { slot, publication, limits }: SourceChecksOptions,
  patienceMs: number,
): Promise<SourceSnapshot> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const snapshot = await inspect(client, { slot, publication });
    const isBehind = checkLag(snapshot, limits).some(
      ({ id, verdict }) => id === 'lag' && verdict === 'warning',
    );
    const isCatchingUp = isBehind && snapshot.slot?.activePid !== undefined;
    if (!isCatchingUp || performance.now() >= deadline) return snapshot;
    await delay(lagPollMs);
  }
}

/** Whether somebody reads the slot. That it is there is checked elsewhere. */
function checkWorker({ slot, server }: SourceSnapshot): readonly Finding[] {
  if (!slot) return [];
  const between = (from: string | undefined) =>
    from === undefined || server.walLsn === undefined
      ? undefined
      : bytesText(Math.max(Number(parseLsn(server.walLsn) - parseLsn(from)), 0));
  if (slot.activePid !== undefined) {
    const lag = between(slot.confirmedFlushLsn);
    const behind = lag === undefined ? '' : `, ${lag} behind`;
    return [ok('worker', 'A worker is recording', `backend ${slot.activePid} reads ${slot.name}${behind}`)];
  }
  const kept = between(slot.restartLsn);
  return [
    problem(
      'failure',
      'worker',
      'No worker is recording',
      `nobody reads ${slot.name}${kept === undefined ? '' : `: the server keeps ${kept} of WAL for it, and more with each write`}`,
      'Start it: bemi worker',
    ),
  ];
}

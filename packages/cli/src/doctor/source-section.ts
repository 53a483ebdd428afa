import { setTimeout as delay } from 'node:timers/promises';
import { parseLsn } from '@bemi-db/replication/lsn';
import { bytesText } from '@bemi-db/source/bytes-text';
import { check } from '@bemi-db/source/check';
import { checkContext } from '@bemi-db/source/check-context';
import { checkLag } from '@bemi-db/source/check-lag';
import { checkLink } from '@bemi-db/source/check-link';
import { checkOperation } from '@bemi-db/source/check-operation';
import { describeTarget, type ParsedConnection } from '@bemi-db/source/connection-string';
import { checkDdl } from '@bemi-db/source/ddl/check-ddl';
import { inspectDdl } from '@bemi-db/source/ddl/inspect-ddl';
import { type Finding, ok, problem } from '@bemi-db/source/finding';
import { inspect } from '@bemi-db/source/inspect';
import { inspectContext } from '@bemi-db/source/inspect-context';
import { inspectOperation } from '@bemi-db/source/inspect-operation';
import { oldestVersion, type SourceSnapshot } from '@bemi-db/source/source-snapshot';
import { addressOf } from '@bemi-db/source/target-address';
import { tlsModeOf } from '@bemi-db/source/tls-mode';
import type pg from 'pg';
import type { Configuration } from '../configuration/configuration.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { type ClockReading, readClock } from './check-clocks.ts';
import { type DoctorSection, notConfigured, section, unreachable } from './doctor-section.ts';

const side = { id: 'source', title: 'Source' } as const;

export interface SourceSection extends DoctorSection {
  readonly clock: ClockReading | undefined;
}

/** A worker that is there may be in the middle of a burst, and confirms every 10 s while idle: it is given so long to get on. */
const lagPatienceMs = 12_000;
const lagPollMs = 250;

/** Everything that doctor checks on the source. */
export async function sourceSection(
  configuration: Configuration,
  { isLagIgnored = false } = {},
): Promise<SourceSection> {
  const { databaseUrl, slot, publication } = configuration;
  if (databaseUrl === undefined) {
    const nothing = notConfigured(
      side,
      'BEMI_DATABASE_URL is not set',
      'Set BEMI_DATABASE_URL=postgres://role:password@host:5432/database, or run it where the worker runs.',
    );
    return { ...nothing, clock: undefined };
  }
  try {
    return await withSourceDatabase(databaseUrl, 'BEMI_DATABASE_URL', async ({ client, connection }) => {
      const clock = await readClock(client);
      const snapshot = await inspectCalm(client, configuration, isLagIgnored ? 0 : lagPatienceMs);
      const isReadable = snapshot.server.version >= oldestVersion;
      const findings = [
        ok('source-connection', 'It can be reached', `PostgreSQL ${snapshot.server.versionText}`),
        ...check(snapshot, { slot, publication, tables: 'all' }),
        ...checkWorker(snapshot),
        ...(isReadable ? checkContext(snapshot, await inspectContext(client)) : []),
        ...(isReadable ? await checkRunning(client, snapshot, configuration, connection) : []),
      ];
      return { ...section(side, describeTarget(connection.target), findings), clock };
    });
  } catch (error) {
    return { ...unreachable(side, error), clock: undefined };
  }
}

async function checkRunning(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  configuration: Configuration,
  connection: ParsedConnection,
): Promise<readonly Finding[]> {
  const operation = await inspectOperation(client, configuration.slot);
  const { setting, host } = connection.target;
  const { link, workerLink } = operation;
  return [
    ...checkOperation(snapshot, operation, configuration, addressOf(connection.target)),
    ...checkDdl(await inspectDdl(client)),
    checkLink({ id: 'source-link', setting, host, mode: tlsModeOf(connection), link, workerLink }),
  ];
}

/** Looks at the source, for a few seconds if need be: what a worker catches up with is no lag. */
async function inspectCalm(
  client: pg.ClientBase,
  { slot, publication, healthyLagBytes, retainedWalBytes }: Configuration,
  patienceMs: number,
): Promise<SourceSnapshot> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const snapshot = await inspect(client, { slot, publication });
    const isBehind = checkLag(snapshot, { healthyLagBytes, retainedWalBytes }).some(
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

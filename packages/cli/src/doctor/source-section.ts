import { parseLsn } from '@bemi-db/replication/lsn';
import { check } from '@bemi-db/source/check';
import { checkContext } from '@bemi-db/source/check-context';
import { describeTarget } from '@bemi-db/source/connection-string';
import { type Finding, ok, problem } from '@bemi-db/source/finding';
import { inspect } from '@bemi-db/source/inspect';
import { inspectContext } from '@bemi-db/source/inspect-context';
import { oldestVersion, type SourceSnapshot } from '@bemi-db/source/source-snapshot';
import type { Configuration } from '../configuration/configuration.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { bytesText } from '../presentation/quantity-text.ts';
import { type DoctorSection, notConfigured, section, unreachable } from './doctor-section.ts';

const side = { id: 'source', title: 'Source' } as const;

/** Everything that doctor checks on the source. */
export async function sourceSection({
  databaseUrl,
  slot,
  publication,
}: Configuration): Promise<DoctorSection> {
  if (databaseUrl === undefined) {
    return notConfigured(
      side,
      'BEMI_DATABASE_URL is not set',
      'Set BEMI_DATABASE_URL=postgres://role:password@host:5432/database, or run it where the worker runs.',
    );
  }
  try {
    return await withSourceDatabase(databaseUrl, 'BEMI_DATABASE_URL', async ({ client, connection }) => {
      const snapshot = await inspect(client, { slot, publication });
      const isReadable = snapshot.server.version >= oldestVersion;
      const findings = [
        ok('source-connection', 'It can be reached', `PostgreSQL ${snapshot.server.versionText}`),
        ...check(snapshot, { slot, publication, tables: 'all' }),
        ...checkWorker(snapshot),
        ...(isReadable ? checkContext(snapshot, await inspectContext(client)) : []),
      ];
      return section(side, describeTarget(connection.target), findings);
    });
  } catch (error) {
    return unreachable(side, error);
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

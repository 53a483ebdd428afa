import { parseLsn } from '@bemi-db/replication/lsn';
import { check } from '@bemi-db/source/check';
import { describeTarget, type SecretConnection } from '@bemi-db/source/connection-string';
import type { Finding } from '@bemi-db/source/finding';
import { inspect } from '@bemi-db/source/inspect';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import type { Configuration } from '../configuration/configuration.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';

/** How a source is doing, as `bemi status --json` shows it. Sizes in bytes; `null` where this role can't see it. */
export interface SourceStatus {
  /** `role@host:port/database`. */
  readonly connection: string;
  readonly version: string;
  /** Before PostgreSQL 14 changes are recorded without context. */
  readonly context: 'on' | 'off';
  readonly publication: string | null;
  readonly slot: SlotStatus | null;
  /** WAL written after what the slot has confirmed. */
  readonly lagBytes: number | null;
  /** WAL that the server keeps for the slot. */
  readonly retainedWalBytes: number | null;
  /** What keeps changes from being recorded, or makes them lack something. */
  readonly findings: readonly Pick<Finding, 'id' | 'verdict' | 'title' | 'evidence' | 'fix'>[];
}

export interface SlotStatus {
  readonly name: string;
  /** Whether a worker streams from it now. */
  readonly isActive: boolean;
  readonly confirmedFlushLsn: string | null;
  readonly restartLsn: string | null;
  readonly walStatus: string | null;
  /** Whether standbys that synchronise slots have it too; `null` before PostgreSQL 17. */
  readonly isFailover: boolean | null;
}

const firstVersionWithContext = 140_000;

/** @throws ProblemError when the source can't be reached. */
export async function sourceStatus(
  databaseUrl: string | SecretConnection,
  configuration: Configuration,
): Promise<SourceStatus> {
  const { slot, publication, source } = configuration;
  const setWith = source?.urlSetWith ?? 'BEMI_DATABASE_URL';
  return await withSourceDatabase(databaseUrl, setWith, async ({ client, connection }) => {
    const snapshot = await inspect(client, { slot, publication });
    return statusOf(snapshot, { slot, publication, tables: 'all' }, describeTarget(connection.target));
  });
}

/** What a snapshot says. Pure. */
export function statusOf(snapshot: SourceSnapshot, wanted: Wanted, connection: string): SourceStatus {
  const { server, slot, publication } = snapshot;
  return {
    connection,
    version: server.versionText,
    context: server.version >= firstVersionWithContext ? 'on' : 'off',
    publication: publication?.name ?? null,
    slot: slot
      ? {
          name: slot.name,
          isActive: slot.activePid !== undefined,
          confirmedFlushLsn: slot.confirmedFlushLsn ?? null,
          restartLsn: slot.restartLsn ?? null,
          walStatus: slot.walStatus ?? null,
          isFailover: slot.isFailover ?? null,
        }
      : null,
    lagBytes: bytesBetween(slot?.confirmedFlushLsn, server.walLsn),
    retainedWalBytes: bytesBetween(slot?.restartLsn, server.walLsn),
    findings: check(snapshot, wanted)
      .filter((finding) => finding.verdict !== 'ok')
      .map(({ id, verdict, title, evidence, fix }) => ({ id, verdict, title, evidence, fix })),
  };
}

function bytesBetween(from: string | undefined, to: string | undefined): number | null {
  if (from === undefined || to === undefined) return null;
  // A reply of the worker may arrive between the two readings.
  return Math.max(Number(parseLsn(to) - parseLsn(from)), 0);
}

import { describeTarget } from '@bemi-db/source/connection-string';
import { checkSource } from '@bemi-db/source/source-checks';
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

/** Everything that doctor checks on the source. */
export async function sourceSection(
  configuration: Configuration,
  { isLagIgnored = false, problem }: { readonly isLagIgnored?: boolean; readonly problem?: unknown } = {},
): Promise<SourceSection> {
  if (problem !== undefined) return { ...unreachable(side, problem), clock: undefined };
  const { databaseUrl, slot, publication, source } = configuration;
  if (databaseUrl === undefined) {
    const nothing = notConfigured(
      side,
      'BEMI_DATABASE_URL is not set',
      'Set BEMI_DATABASE_URL=postgres://role:password@host:5432/database, or run it where the worker runs.',
    );
    return { ...nothing, clock: undefined };
  }
  try {
    return await withSourceDatabase(
      databaseUrl,
      source?.urlSetWith ?? 'BEMI_DATABASE_URL',
      async ({ client, connection }) => {
        const clock = await readClock(client);
        const patience = isLagIgnored ? {} : { lagPatienceMs };
        const options = { slot, publication, limits: configuration, ...patience };
        const { findings } = await checkSource(client, connection, options);
        return { ...section(side, describeTarget(connection.target), findings), clock };
      },
    );
  } catch (error) {
    return { ...unreachable(side, error), clock: undefined };
  }
}

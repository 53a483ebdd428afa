import { parseConnectionString } from '@bemi-db/source/connection-string';
import { hasTrail, type SourceSummary, sourceSummaries } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { CliError } from '../cli-error.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { nearestName } from '../configuration/nearest-name.ts';

/**
 * The source whose log is meant: the one named by `--source`, else the only one of the configuration file, else that of
 * BEMI_DATABASE_URL, else the only one.
 *
 * @returns `undefined` where no worker has recorded anything yet.
 * @throws CliError when it isn't there but others are, or when there are several to choose from.
 */
export async function chooseSource(
  client: pg.ClientBase,
  configuration: Configuration,
  named: string | undefined,
): Promise<SourceSummary | undefined> {
  const summaries = (await hasTrail(client)) ? await sourceSummaries(client) : [];
  const { databaseUrl } = configuration;
  const wanted =
    named ??
    configuration.source?.name ??
    (databaseUrl && parseConnectionString(databaseUrl, 'BEMI_DATABASE_URL').target.database);
  if (wanted === undefined) {
    if (summaries.length <= 1) return summaries[0];
    throw new CliError(
      2,
      'several-sources',
      `This audit database holds the logs of ${namesOf(summaries)}`,
      'Say which one by --source NAME.',
    );
  }
  const found = summaries.find((summary) => summary.name === wanted);
  if (found || (summaries.length === 0 && named === undefined)) return found;
  const names = summaries.map((summary) => summary.name);
  const nearest = nearestName(wanted, names);
  throw new CliError(
    named === undefined ? 1 : 2,
    'unknown-source',
    `This audit database has no log of ${wanted}${names.length > 0 ? `, only of ${namesOf(summaries)}` : ''}`,
    nearest === undefined && names.length !== 1
      ? 'Name another by --source, or start a worker for it: bemi worker'
      : `Name another by --source ${nearest ?? names[0]}, or start a worker for it: bemi worker`,
  );
}

function namesOf(summaries: readonly SourceSummary[]): string {
  return summaries.map((summary) => summary.name).join(', ');
}

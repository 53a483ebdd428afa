import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { CliError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { chooseSource } from '../trail-reading/choose-source.ts';

/** The source that is meant, for commands that need one with a log. */
export async function recordedSource(
  client: pg.ClientBase,
  configuration: Configuration,
  named: string | undefined,
): Promise<SourceSummary> {
  const source = await chooseSource(client, configuration, named);
  if (source) return source;
  throw new CliError(
    1,
    'nothing-recorded',
    'The log is empty: no worker has used this audit database yet',
    `Start one: ${invocation()} worker`,
  );
}

/** The flags of commands that look into one log. */
export interface SourceFlags {
  readonly source?: string;
  readonly embedded?: true;
}

/** Connects to the audit database that the settings name, for work on the log that is meant. */
export function withRecordedSource(
  flags: SourceFlags,
  work: (client: pg.Client, source: SourceSummary) => Promise<void>,
): Promise<void> {
  const configuration = loadConfiguration();
  const isEmbedded = flags.embedded === true;
  return readingAuditDatabase({ configuration, isEmbedded }, async ({ client }) =>
    work(client, await recordedSource(client, configuration, flags.source)),
  );
}

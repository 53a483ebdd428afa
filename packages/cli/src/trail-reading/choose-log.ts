import { accessLogName, accessMemoryName, findAccessLog } from '@bemi-db/trail/access/access-log';
import { hasTrail, type SourceSummary } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { CliError, usageError } from '../cli-error.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { chooseSource } from './choose-source.ts';

/** The flags by which a log is meant, whether it has a source or not. */
export interface LogChoice {
  readonly log?: string;
  /** `--access` */
  readonly access?: true;
}

/** A log to be verified, or to prove something of. */
export interface ChosenLog extends Pick<SourceSummary, 'log' | 'name'> {
  /** Of its source; `undefined` of the log of accesses. */
  readonly database: string | undefined;
  /** Under which name its worker remembers what it signed, where that isn't the log's. */
  readonly memory?: string;
}

/**
 * The log of accesses where that is meant, else the log of a source, as {@link chooseSource} chooses.
 *
 * @throws CliError where it isn't there.
 */
export async function chooseLog(
  client: pg.ClientBase,
  configuration: Configuration,
  { log: named, access }: LogChoice,
): Promise<ChosenLog | undefined> {
  if (access && named !== undefined && named !== accessLogName)
    throw usageError('--access and --log name two logs', 'Leave one of them out.');
  if (!access && named !== accessLogName) return await chooseSource(client, configuration, named);
  const found = (await hasTrail(client)) ? await findAccessLog(client) : undefined;
  if (found)
    return {
      ...{ log: found.log, name: accessLogName, database: undefined },
      memory: await accessMemoryName(client),
    };
  throw new CliError(
    1,
    'no-accesses',
    'There is no log of accesses yet',
    'It begins when somebody looks at the trail for the first time, by bemi log or in the dashboard.',
  );
}

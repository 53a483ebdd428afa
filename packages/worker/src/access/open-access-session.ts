import type { ParsedConnection } from '@bemi-db/source/connection-string';
import { accessLogName, accessMemoryName, findAccessLog } from '@bemi-db/trail/access/access-log';
import { migrate } from '@bemi-db/trail/migrate';
import { takeOver } from '@bemi-db/trail/sources';
import type { AbandonedBackends } from '../abandoned-backends.ts';
import type { LivenessTimings } from '../connection-liveness.ts';
import { connect, type OpenConnection } from '../connections.ts';
import { lockLog, showLife } from '../log-lock.ts';
import type { Logger } from '../logger.ts';
import type { Problem } from '../problem.ts';
import type { PublicationTarget } from '../publication/publication-target.ts';
import { readPublishedCheckpoints } from '../publication/published-checkpoints.ts';
import type { Witness } from '../publication/witness.ts';
import { type KeptCheckpoint, type LogEnd, type OpenTree, openTree } from '../signing/open-tree.ts';
import type { SigningKeySource } from '../signing/signing-key.ts';
import { InboxBell } from './inbox-bell.ts';

export interface AccessSessionOptions {
  readonly destination: ParsedConnection;
  readonly signing: SigningKeySource;
  readonly publicationTargets: readonly (PublicationTarget | Witness)[];
  readonly liveness: LivenessTimings;
  readonly abandoned: AbandonedBackends;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Another worker records the accesses. Throws to give up. */
  readonly onWaiting: (problem: Problem) => void;
  /** Return where there is nothing to record. */
  readonly isDraining: boolean;
  /** Somebody accepts that signed entries are gone. Default false. */
  readonly isGapAccepted?: boolean;
}

/** Everything that recording accesses needs, connected, checked and locked. */
export interface AccessSession {
  readonly writer: OpenConnection;
  /** Reads what is published. */
  readonly reading: OpenConnection;
  readonly bell: InboxBell;
  readonly end: LogEnd;
  readonly epoch: string;
  readonly tree: OpenTree;
  close(): Promise<void>;
}

const publishedPatienceMs = 10_000;
/** Where nobody has told: how often it is looked whether there is a log of accesses by now. */
const pollMs = 10_000;

/**
 * Waits until there is a log of accesses, and until this worker is the one that writes it. The order is that of a source's
 * log: locked before its end is read, and nothing is signed that is no continuation of what was.
 *
 * @returns `undefined` where the signal came first, or, draining, where nothing waits.
 */
export async function openAccessSession(options: AccessSessionOptions): Promise<AccessSession | undefined> {
  const { destination, liveness, abandoned, signal } = options;
  const opened: OpenConnection[] = [];
  let stopShowingLife = (): void => undefined;
  const close = async (): Promise<void> => {
    stopShowingLife();
    await Promise.all(opened.map((connection) => abandoned.close('audit', connection)));
  };
  const connectAudit = async (purpose: string): Promise<OpenConnection> => {
    const connection = await connect(destination, purpose, liveness);
    opened.push(connection);
    return connection;
  };
  try {
    const writer = await connectAudit('worker: accesses');
    const { client } = writer;
    await abandoned.end('audit', client);
    await migrate(client);
    const bell = await InboxBell.listen(writer);
    for (let log = await findAccessLog(client); !log; log = await findAccessLog(client)) {
      if (options.isDraining || signal.aborted) {
        await close();
        return undefined;
      }
      await bell.next(pollMs, signal, opened);
    }
    await lockLog(writer, { ...options, name: accessLogName });
    stopShowingLife = showLife(client, liveness);
    const log = (await findAccessLog(client))!;
    const end: LogEnd = { ...log, generation: await readGeneration(writer, log.log) };
    const epoch = await takeOver(client, log.log);
    const tree = await openTree({
      client,
      name: await accessMemoryName(client),
      state: end,
      signing: options.signing,
      published: (origin) => readPublished(options, origin),
      logger: options.logger,
      isGapAccepted: options.isGapAccepted ?? false,
    });
    const reading = await connectAudit('worker: accesses, publication');
    return {
      ...{ writer, reading, bell, end, epoch, tree },
      async close() {
        tree.lastSigned.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A log without a source has its generation from its own `gap` events. */
async function readGeneration({ client }: OpenConnection, log: number): Promise<number> {
  const { rows } = await client.query<{ generation: number }>(
    `SELECT coalesce(max((payload->>'generation')::integer), 1) AS generation
       FROM bemi.event_log WHERE log = $1 AND kind = 'gap'`,
    [log],
  );
  return rows[0]!.generation;
}

/** As for a source's log: a place that can't be read now keeps nothing from being recorded. */
async function readPublished(
  options: AccessSessionOptions,
  origin: string,
): Promise<readonly KeptCheckpoint[]> {
  const { checkpoints, unread } = await readPublishedCheckpoints(
    options.publicationTargets,
    origin,
    AbortSignal.any([options.signal, AbortSignal.timeout(publishedPatienceMs)]),
  );
  for (const { where, problem } of unread) {
    options.logger.warn({ where, code: problem.code, fix: problem.fix }, problem.message);
  }
  return checkpoints;
}

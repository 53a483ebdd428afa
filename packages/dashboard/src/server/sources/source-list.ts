import { parseConnectionString } from '@bemi-db/source/connection-string';
import type { AddedSource } from '@bemi-db/trail/added-sources/added-sources';
import type { SeenWorker } from '@bemi-db/trail/health/read-health';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import pg from 'pg';
import type { Source } from '../../api/source.ts';
import { liveWorker } from '../judge-workers.ts';
import type { Principal } from '../principal.ts';
import type { NamedSource, RecordedState, SourceServices } from './source-services.ts';

/** What the audit database knows of sources. */
export interface KnownSources {
  readonly added: readonly AddedSource[];
  readonly logs: readonly SourceSummary[];
  /** Who was seen last first. */
  readonly workers: readonly SeenWorker[];
}

/** All sources that are known here, by name: configured, added, and those that only their log tells of. Pure. */
export function sourceList(
  { configured, recorded }: SourceServices,
  { added, logs, workers }: KnownSources,
): readonly Source[] {
  const states = recorded?.();
  const stateOf = (name: string) =>
    states?.get(name) ?? stateOfWorker(liveWorker(workers.filter(({ log }) => log === name)));
  const logOf = (name: string) => logs.find((log) => log.name === name);
  const known = new Set([...configured, ...added].map(({ name }) => name));
  const isConfigured = new Set(configured.map(({ name }) => name));
  return [
    ...configured.map((source) => ofConfigured(source, stateOf(source.name), logOf(source.name))),
    ...added.map((source) =>
      ofAdded(source, isConfigured.has(source.name) ? shadowed(source) : stateOf(source.name), {
        isRecordedHere: states !== undefined,
        log: logOf(source.name),
      }),
    ),
    ...logs.filter(({ name }) => !known.has(name)).map((log) => ofLog(log, stateOf(log.name))),
  ].toSorted((a, b) => a.name.localeCompare(b.name));
}

/** A source as somebody may see it: problems may name tables, and are for those who may read all of them. */
export function sourceFor({ tables }: Principal, source: Source): Source {
  if (tables === undefined || source.problem === null) return source;
  const fix = 'Somebody who may see all tables sees more here.';
  return { ...source, problem: { code: source.problem.code, message: 'Something is in the way', fix } };
}

/** What a worker in another process has said of itself last. */
function stateOfWorker(worker: SeenWorker | undefined): RecordedState | undefined {
  if (!worker) return undefined;
  const problem = worker.problem ?? undefined;
  switch (worker.state) {
    case 'recording':
      return { state: 'recording', problem: undefined };
    case 'refused':
      return { state: 'refused', problem };
    case 'starting':
    case 'waiting':
      return { state: 'waiting', problem };
    default:
      return undefined;
  }
}

function ofConfigured(
  source: NamedSource,
  state: RecordedState | undefined,
  log: SourceSummary | undefined,
): Source {
  const { name, connection, configuredWith, urlSetWith, slot, publication, bufferSize, retentionDays } =
    source;
  const { host, port, database, role } = parseConnectionString(connection, urlSetWith).target;
  return {
    ...{ name, origin: 'configured', configuredWith, target: { host, port, database, role } },
    ...{ slot, publication, bufferSize, retentionDays },
    ...shownState(state),
    lastEntryAt: log?.lastEntryAt ?? null,
    ...{ added: null, changed: null, whenRemoved: whenRemoved(source) },
  };
}

function ofAdded(
  source: AddedSource,
  state: RecordedState | undefined,
  { isRecordedHere, log }: { readonly isRecordedHere: boolean; readonly log: SourceSummary | undefined },
): Source {
  const { name, host, port, database, role, slot, publication, bufferSize, retentionDays } = source;
  // It is taken up within seconds.
  const starting: RecordedState = { state: 'waiting', problem: undefined };
  return {
    ...{ name, origin: 'added', configuredWith: null, target: { host, port, database, role } },
    ...{ slot, publication, bufferSize, retentionDays },
    ...shownState(state ?? (isRecordedHere ? starting : undefined)),
    lastEntryAt: log?.lastEntryAt ?? null,
    added: { at: source.addedAt, by: source.addedBy },
    changed:
      source.changedAt === undefined
        ? null
        : { at: source.changedAt, by: source.changedBy ?? source.addedBy },
    whenRemoved: whenRemoved(source),
  };
}

function ofLog(
  { name, database, slot, publication, lastEntryAt }: SourceSummary,
  state: RecordedState | undefined,
): Source {
  return {
    ...{ name, origin: 'elsewhere', configuredWith: null },
    target: { host: null, port: null, database, role: null },
    ...{ slot, publication, bufferSize: null, retentionDays: null },
    ...shownState(state),
    lastEntryAt: lastEntryAt ?? null,
    ...{ added: null, changed: null, whenRemoved: whenRemoved({ slot, publication }) },
  };
}

function shadowed({ name }: AddedSource): RecordedState {
  return {
    state: 'refused',
    problem: {
      code: 'source-configured',
      message: `The configuration has a source ${name} too, which is recorded instead of this one`,
      fix: 'Remove one of them; or add this one by another name.',
    },
  };
}

function shownState(state: RecordedState | undefined): Pick<Source, 'state' | 'problem' | 'triedAgainAt'> {
  return {
    ...{ state: state?.state ?? 'unknown', problem: state?.problem ?? null },
    triedAgainAt: state?.triedAgainAt?.toISOString() ?? null,
  };
}

/** The slot first: for as long as it is there the server keeps its WAL. */
function whenRemoved({
  slot,
  publication,
}: {
  readonly slot: string;
  readonly publication: string;
}): string[] {
  return [
    `SELECT pg_drop_replication_slot(${pg.escapeLiteral(slot).trimStart()});`,
    `DROP PUBLICATION ${pg.escapeIdentifier(publication)};`,
  ];
}

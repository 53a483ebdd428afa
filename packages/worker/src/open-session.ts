import { parseLsn } from '@bemi-db/replication/lsn';
import { check } from '@bemi-db/source/check';
import type { ConnectionAttempt, ConnectionPhase } from '@bemi-db/source/connection-attempt';
import type { ParsedConnection } from '@bemi-db/source/connection-string';
import type { Finding } from '@bemi-db/source/finding';
import { inspect } from '@bemi-db/source/inspect';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import { migrate } from '@bemi-db/trail/migrate';
import { createSource, findSource, type SourceState, takeOver } from '@bemi-db/trail/sources';
import type { AbandonedBackends } from './abandoned-backends.ts';
import type { LivenessTimings } from './connection-liveness.ts';
import { connect, connectReplication, type OpenConnection } from './connections.ts';
import {
  type AcceptedGap,
  acceptedGap,
  decideOrAccept,
  foundGap,
  type GapAcceptance,
} from './gap/gap-acceptance.ts';
import { advanceSlot, resumeSlot } from './gap/resume-slot.ts';
import { identifySystem, type SystemIdentity } from './identify-system.ts';
import { lockLog, showLife } from './log-lock.ts';
import type { Logger } from './logger.ts';
import { makeWhatIsMissing } from './prepare-source.ts';
import { during, type Problem, ProblemError } from './problem.ts';
import { AuditReader } from './publication/audit-reader.ts';
import type { PublicationTarget } from './publication/publication-target.ts';
import { readPublishedCheckpoints } from './publication/published-checkpoints.ts';
import type { Witness } from './publication/witness.ts';
import { RefusalError } from './refusal.ts';
import { type KeptCheckpoint, type OpenTree, openTree } from './signing/open-tree.ts';
import type { SigningKeySource } from './signing/signing-key.ts';
import type { SourceFacts, StartDecision } from './start-decision.ts';

export interface SessionTargets {
  /** Name of the log, unique in the audit database. */
  readonly name: string;
  readonly source: ParsedConnection;
  readonly destination: ParsedConnection;
  readonly slot: string;
  readonly publication: string;
  readonly signing: SigningKeySource;
  /** Opens the applications' keys; without it contexts are recorded as unsigned. */
  readonly encryptionKey: Buffer | undefined;
  /** Where checkpoints and tiles are published. */
  readonly publicationTargets: readonly (PublicationTarget | Witness)[];
}

/** Everything that recording needs, connected, checked and locked. */
export interface OpenSession {
  /** Appends entries; nobody else uses it. */
  readonly writer: OpenConnection;
  readonly upkeep: OpenConnection;
  /** Reads what is published. */
  readonly reading: OpenConnection;
  readonly sourceSql: OpenConnection;
  readonly replication: OpenConnection;
  readonly state: SourceState;
  readonly system: SystemIdentity;
  readonly lineage: StartDecision['lineage'];
  /** To be said in the log, before anything else. */
  readonly gap: AcceptedGap | undefined;
  readonly epoch: string;
  readonly tree: OpenTree;
  readonly auditReader: AuditReader;
  /** Source and audit database are on one server, or are one. */
  readonly isSameCluster: boolean;
  readonly isSameDatabase: boolean;
  readonly snapshot: SourceSnapshot;
  readonly slot: string;
  readonly slotLsn: string;
  readonly walSenderTimeoutMs: number;
  readonly walBlockBytes: number;
  /** How errors on either side are explained, by what was being done. */
  readonly attempt: (database: 'source' | 'audit', phase: ConnectionPhase) => ConnectionAttempt;
  close(): Promise<void>;
}

export interface OpenSessionOptions {
  readonly targets: SessionTargets;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  /** Something keeps the worker waiting that is no failure: another worker. Throws to give up. */
  readonly onWaiting: (problem: Problem) => void;
  /** Somebody accepts a gap that the worker refused to go on over. */
  readonly acceptance?: GapAcceptance;
  readonly liveness: LivenessTimings;
  /** What sessions before this one have left behind; this one adds its own when it closes. */
  readonly abandoned: AbandonedBackends;
}

/** Failures of these checks keep the worker from recording; others are only said. */
const stoppingChecks = ['version', 'primary', 'wal-level', 'role', 'publication', 'slot'];
const standingChecks = stoppingChecks.filter((id) => id !== 'publication' && id !== 'slot');
const publishedPatienceMs = 10_000;

/**
 * Connects both sides and makes sure that recording may go on from where the log ends. The order matters: the log is
 * locked before its end is read, and the source is only prepared where the log is empty.
 *
 * @throws ProblemError for whatever is in the way; all connections are closed then.
 */
export async function openSession(options: OpenSessionOptions): Promise<OpenSession> {
  const { targets, abandoned, liveness } = options;
  const opened: ['source' | 'audit', OpenConnection][] = [];
  let stopShowingLife = (): void => undefined;
  const close = async (): Promise<void> => {
    stopShowingLife();
    await Promise.all(opened.map(([side, connection]) => abandoned.close(side, connection)));
  };
  const facts: { findings: readonly Finding[]; snapshot: SourceSnapshot | undefined } = {
    findings: [],
    snapshot: undefined,
  };
  const attempt = (database: 'source' | 'audit', phase: ConnectionPhase): ConnectionAttempt => ({
    database,
    phase,
    target: database === 'source' ? targets.source.target : targets.destination.target,
    slot: targets.slot,
    publication: targets.publication,
    findings: facts.findings,
    ...(facts.snapshot ? { provider: facts.snapshot.server.provider } : {}),
  });
  const onSource = <T>(phase: ConnectionPhase, work: () => Promise<T>) =>
    during(attempt('source', phase), work);
  const onAudit = <T>(phase: ConnectionPhase, work: () => Promise<T>) =>
    during(attempt('audit', phase), work);

  const connectAudit = async (purpose: string): Promise<OpenConnection> => {
    const connection = await onAudit('connect', () => connect(targets.destination, purpose, liveness));
    opened.push(['audit', connection]);
    return connection;
  };

  try {
    const writer = await connectAudit('worker: writer');
    await onAudit('write', () => abandoned.end('audit', writer.client));
    await onAudit('write', () => migrate(writer.client));
    await onAudit('write', () => lockLog(writer, { ...options, name: targets.name }));
    stopShowingLife = showLife(writer.client, liveness);
    const upkeep = await connectAudit('worker: upkeep');

    const sourceSql = await onSource('connect', () => connect(targets.source, 'worker: catalog', liveness));
    opened.push(['source', sourceSql]);
    await onSource('inspect', () => abandoned.end('source', sourceSql.client));
    const wanted: Wanted = { slot: targets.slot, publication: targets.publication, tables: 'all' };
    let snapshot = await onSource('inspect', () => inspect(sourceSql.client, targets));
    facts.snapshot = snapshot;
    const existing = await onAudit('write', () => findSource(writer.client, targets.name));
    stopAt(check(snapshot, wanted), ['version', 'primary', 'wal-level', 'role']);
    const replication = await onSource('connect-replication', () =>
      connectReplication(targets.source, liveness),
    );
    opened.push(['source', replication]);
    const system = await onSource('connect-replication', () => identifySystem(replication.client));

    if (!existing && !snapshot.slot) {
      const before = snapshot;
      const made = await onSource('create-publication', () =>
        makeWhatIsMissing(sourceSql.client, before, wanted, options.logger),
      );
      if (made) snapshot = await onSource('inspect', () => inspect(sourceSql.client, targets));
      facts.snapshot = snapshot;
    }
    facts.findings = check(snapshot, wanted);
    // Whether this is the right server comes before whether it is well prepared.
    const decision =
      existing &&
      (await onSource('inspect', async () =>
        decideOrAccept(existing, sourceFacts(existing, targets, snapshot, system), options.acceptance),
      ));
    const lineage = decision && 'lineage' in decision ? decision.lineage : undefined;
    const refused = decision && 'refused' in decision ? decision.refused : undefined;
    // What accepting a gap makes anew, below, may be missing.
    stopAt(facts.findings, refused ? standingChecks : stoppingChecks);
    warnOf(facts.findings, options.logger);
    let state = existing ?? (await onAudit('write', () => startLog(writer, targets, snapshot, system)));
    const epoch = await onAudit('write', () => takeOver(writer.client, state.log));
    const tree = await onAudit('write', () =>
      openTree({
        client: writer.client,
        name: targets.name,
        state,
        signing: targets.signing,
        published: (origin) => readPublished(options, origin),
        logger: options.logger,
        isGapAccepted: refused !== undefined,
      }),
    );
    let gap: AcceptedGap | undefined;
    if (refused && options.acceptance) {
      const found = foundGap(refused, state, snapshot, tree);
      await options.acceptance.confirm(found);
      const before = snapshot;
      await onSource('create-slot', () => resumeSlot(sourceSql.client, before, wanted, options.logger));
      snapshot = await onSource('inspect', () => inspect(sourceSql.client, targets));
      stopAt(check(snapshot, wanted), stoppingChecks);
      gap = acceptedGap(found, state, snapshot, system, tree);
      state = gap.state;
    } else if (
      snapshot.slot?.confirmedFlushLsn &&
      isBefore(snapshot.slot.confirmedFlushLsn, state.resumedLsn)
    ) {
      // A crash came between the event of a skip and the slot.
      await onSource('start-replication', () =>
        advanceSlot(sourceSql.client, targets.slot, state.resumedLsn),
      );
    }
    const reading = await connectAudit('worker: publication');
    const home = await onAudit('write', () => homeOf(writer));
    const isSameCluster = home.systemIdentifier === system.systemIdentifier;
    const settings = await onSource('inspect', () => readSettings(sourceSql));
    stopShowingLife(); // the log's writer does it from here on
    return {
      writer,
      upkeep,
      reading,
      sourceSql,
      replication,
      state,
      system,
      lineage,
      gap,
      epoch,
      tree,
      auditReader: new AuditReader(reading, state.log),
      isSameCluster,
      isSameDatabase: isSameCluster && home.database === snapshot.server.database,
      snapshot,
      slot: targets.slot,
      slotLsn: snapshot.slot?.confirmedFlushLsn ?? state.confirmedLsn,
      ...settings,
      attempt,
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

/**
 * What was published so far. A place that can't be read now does not keep the worker from recording: the publisher
 * compares again before it writes there.
 */
async function readPublished(
  options: OpenSessionOptions,
  origin: string,
): Promise<readonly KeptCheckpoint[]> {
  const { checkpoints, unread } = await readPublishedCheckpoints(
    options.targets.publicationTargets,
    origin,
    AbortSignal.any([options.signal, AbortSignal.timeout(publishedPatienceMs)]),
  );
  for (const { where, problem } of unread) {
    options.logger.warn({ where, code: problem.code, fix: problem.fix }, problem.message);
  }
  return checkpoints;
}

function sourceFacts(
  recorded: SourceState,
  targets: SessionTargets,
  { server, slot }: SourceSnapshot,
  system: SystemIdentity,
): SourceFacts {
  return {
    systemIdentifier: system.systemIdentifier,
    timeline: system.timeline,
    database: server.database,
    walLsn: parseLsn(server.walLsn ?? recorded.confirmedLsn),
    slotName: targets.slot,
    slot,
    timelineHistory: system.history,
  };
}

function isBefore(lsn: string, other: string): boolean {
  return parseLsn(lsn) < parseLsn(other);
}

async function startLog(
  writer: OpenConnection,
  targets: SessionTargets,
  snapshot: SourceSnapshot,
  system: SystemIdentity,
): Promise<SourceState> {
  const completeFromLsn = snapshot.slot?.confirmedFlushLsn;
  if (completeFromLsn === undefined)
    throw new RefusalError('slot-missing', `The slot ${targets.slot} has no position`, '');
  await createSource(writer.client, {
    name: targets.name,
    systemIdentifier: system.systemIdentifier,
    database: snapshot.server.database,
    slot: targets.slot,
    publication: targets.publication,
    timeline: system.timeline,
    completeFromLsn,
  });
  const state = await findSource(writer.client, targets.name);
  if (!state) throw new Error(`The log ${targets.name} was not made`);
  return state;
}

async function homeOf(connection: OpenConnection): Promise<{ systemIdentifier: string; database: string }> {
  const { rows } = await connection.client.query<{ systemIdentifier: string; database: string }>(
    'SELECT system_identifier::text AS "systemIdentifier", current_database() AS database FROM pg_control_system()',
  );
  return rows[0]!;
}

async function readSettings(
  connection: OpenConnection,
): Promise<{ walSenderTimeoutMs: number; walBlockBytes: number }> {
  const { rows } = await connection.client.query<{ timeout: string; block: string }>(
    `SELECT (SELECT setting FROM pg_settings WHERE name = 'wal_sender_timeout') AS timeout,
            current_setting('wal_block_size') AS block`,
  );
  return { walSenderTimeoutMs: Number(rows[0]?.timeout), walBlockBytes: Number(rows[0]?.block) };
}

function stopAt(findings: readonly Finding[], ids: readonly string[]): void {
  const failure = findings.find((finding) => finding.verdict === 'failure' && ids.includes(finding.id));
  if (!failure) return;
  throw new ProblemError({
    code: failure.id,
    message: `${failure.title} (${failure.evidence})`,
    fix: failure.fix,
    // An older server does not become a newer one while we wait.
    kind: failure.id === 'version' ? 'configuration' : 'retry',
  });
}

function warnOf(findings: readonly Finding[], logger: Logger): void {
  for (const { id, verdict, title, evidence, fix } of findings) {
    if (verdict !== 'ok') logger.warn({ check: id, evidence, fix }, title);
  }
}

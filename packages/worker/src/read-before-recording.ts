import { type Lsn, parseLsn } from '@bemi-db/replication/lsn';
import { recordedRelations } from '@bemi-db/trail/relations';
import { recordedRules } from '@bemi-db/trail/rules/recorded-rules';
import { ContextAuthenticity } from './authenticity/context-authenticity.ts';
import { ContextKeys } from './authenticity/context-keys.ts';
import { lastRecordEnd } from './drain-target.ts';
import type { Logger } from './logger.ts';
import type { OpenSession, SessionTargets } from './open-session.ts';
import { explainProblem, ProblemError } from './problem.ts';
import { RetentionSettings } from './retention/retention-settings.ts';
import { type ConfiguredRules, type DueRules, RulesJudge } from './rules/judge-rules.ts';
import { RulesInForce } from './rules/rules-in-force.ts';
import { expectSignedRules } from './rules/signed-rules.ts';
import { valueHash } from './rules/value-hash.ts';
import { ShapeRegistry } from './shape-registry.ts';

export interface BeforeRecordingOptions {
  readonly session: OpenSession;
  readonly targets: SessionTargets;
  /** Stop when everything up to the source's position at the start is recorded. */
  readonly isDraining: boolean;
  /** Rules that the configuration file names now. */
  readonly configuredRules: () => ConfiguredRules | undefined;
  readonly logger: Logger;
}

/** What the log says, and how far a drain goes: read before anything is recorded. */
export interface ReadBeforeRecording {
  readonly shapes: ShapeRegistry;
  /** `undefined` where it is to go on. */
  readonly drainTarget: Lsn | undefined;
  readonly contextKeys: ContextKeys;
  readonly authenticity: ContextAuthenticity;
  readonly retention: RetentionSettings;
  readonly rules: RulesInForce;
  readonly rulesJudge: RulesJudge;
  readonly dueRules: DueRules | undefined;
}

/** @throws ProblemError */
export async function readBeforeRecording(options: BeforeRecordingOptions): Promise<ReadBeforeRecording> {
  const { session } = options;
  try {
    const { client } = session.writer;
    const { log } = session.state;
    const shapes = new ShapeRegistry(await recordedRelations(client, log));
    const drainTarget = options.isDraining ? await drainTargetOf(session) : undefined;
    const contexts = await readContexts(options);
    const rules = await readRules(options);
    const retention = new RetentionSettings();
    await retention.load(client, log);
    return { shapes, drainTarget, ...contexts, ...rules, retention };
  } catch (error) {
    throw new ProblemError(explainProblem(error, session.attempt('audit', 'write')), error);
  }
}

async function drainTargetOf(session: OpenSession): Promise<Lsn> {
  const { rows } = await session.sourceSql.client.query<{ lsn: string }>(
    'SELECT pg_current_wal_insert_lsn()::text AS lsn',
  );
  return lastRecordEnd(parseLsn(rows[0]!.lsn), session.walBlockBytes);
}

async function readContexts({
  session,
  targets,
  logger,
}: BeforeRecordingOptions): Promise<Pick<ReadBeforeRecording, 'contextKeys' | 'authenticity'>> {
  const { client } = session.writer;
  const { logId, log, database } = session.state;
  const contextKeys = new ContextKeys(logId, targets.encryptionKey);
  await contextKeys.load(client, log);
  const authenticity = new ContextAuthenticity(contextKeys, database);
  await authenticity.load(client, log);
  if (contextKeys.closedCount > 0) {
    logger.warn(
      { keys: contextKeys.count, closed: contextKeys.closedCount },
      'Contexts of some keys are recorded as unsigned: BEMI_ENCRYPTION_KEY is missing, or another one than theirs',
    );
  }
  return { contextKeys, authenticity };
}

async function readRules({
  session,
  targets,
  configuredRules: configured,
}: BeforeRecordingOptions): Promise<Pick<ReadBeforeRecording, 'rules' | 'rulesJudge' | 'dueRules'>> {
  const { client } = session.writer;
  const { log, logId } = session.state;
  const { encryptionKey } = targets;
  const hash = encryptionKey && valueHash(encryptionKey, logId);
  const rulesOfLog = await recordedRules(client, log);
  await expectSignedRules(client, log, rulesOfLog, session.tree.head);
  const rules = new RulesInForce(rulesOfLog, hash);
  const sourceClient = session.sourceSql.client;
  const rulesJudge = new RulesJudge({ inForce: rules, hash, sourceClient, configured });
  return { rules, rulesJudge, dueRules: await rulesJudge.due() };
}

import { setTimeout as delay } from 'node:timers/promises';
import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import type { AccessStatus } from '../access/access-recorder.ts';
import { connect, type OpenConnection } from '../connections.ts';
import type { Worker } from '../create-worker.ts';
import { type Logger, silentLogger } from '../logger.ts';
import type { WorkerStatus } from '../worker-status.ts';
import { AlertFile } from './alerts/alert-file.ts';
import {
  type AlertLimits,
  type AlertRule,
  alertRules,
  defaultLimits,
  type HealthFacts,
} from './alerts/alert-rules.ts';
import { type Alert, AlertStates } from './alerts/alert-state.ts';
import { type AlertChannel, Delivery } from './alerts/delivery.ts';
import { HealthReports } from './health-reports.ts';
import { History, LagClock, secondsUntilLimit } from './history.ts';
import { readAudit } from './read-audit.ts';
import { readSource } from './read-source.ts';
import type { AuditReading, SourceReading } from './readings.ts';

export interface HealthMonitorOptions {
  /** The worker of this process; it is asked for its state, and told of alerts. */
  readonly worker: Pick<Worker, 'status' | 'announce'>;
  /** As the worker has them. */
  readonly source: string | SecretConnection;
  readonly destination: string | SecretConnection;
  /** Of the log. Default: the source database's name. */
  readonly name?: string;
  /** Default `bemi_slot`. */
  readonly slot?: string;
  /** A folder in which it is kept which alerts fire, so that a restart does not tell of them again. */
  readonly stateDirectory: string;
  /** Where alerts are sent to. Default: nowhere; they are in the worker's own log and in the metrics. */
  readonly channels?: readonly AlertChannel[];
  readonly limits?: AlertLimits;
  /** Default 15 s. */
  readonly intervalMs?: number;
  /** Default: {@link alertRules}. */
  readonly rules?: readonly AlertRule[];
  /** Of the program, for people. */
  readonly version?: string;
  /** The recorder of accesses of this process, where it has one. */
  readonly accesses?: () => AccessStatus;
  /** The time that a sample in the audit database is of. Default a minute. */
  readonly sampleMs?: number;
  readonly logger?: Logger;
}

/** What a monitor has seen last. */
export interface Health extends HealthFacts {
  readonly databaseGrowthPerSecond: number | undefined;
  readonly alerts: readonly Alert[];
}

const intervalMs = 15_000;
const sampleMs = 60_000;
/** Who has just started looks again soon: the worker may have to make the schema first, and then it records. */
const firstIntervalMs = 2_000;
const firstMs = 60_000;
/** For what a worker that ends has to say. */
const farewellMs = 1_000;
/** The pace of growth is that of this time. */
const paceMs = 10 * 60 * 1_000;
const hourMs = 60 * 60 * 1_000;

/**
 * Looks at both sides every some seconds, on connections of its own: it goes on when the worker can't record. What it
 * sees is for `/metrics`, is judged by the alert rules, and is said in the audit database, where the dashboard finds it.
 */
export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #name: string;
  readonly #rules: readonly AlertRule[];
  readonly #limits: AlertLimits;
  readonly #sides: { readonly source: Side<SourceReading>; readonly audit: Side<AuditReading> };
  readonly #sourcePace = new History<SourceReading>(paceMs);
  readonly #auditHour = new History<AuditReading>(hourMs);
  readonly #lagClock = new LagClock();
  readonly #file: AlertFile;
  readonly #states: AlertStates;
  readonly #delivery: Delivery;
  readonly #reports: HealthReports;
  #health: Health;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: HealthMonitorOptions) {
    const { source, destination, slot = 'bemi_slot', logger = silentLogger } = options;
    const parsed = parseConnectionString(source, 'BEMI_DATABASE_URL');
    const audit = parseConnectionString(destination, 'BEMI_DESTINATION_URL');
    const name = options.name ?? parsed.target.database;
    this.#options = options;
    this.#name = name;
    this.#rules = options.rules ?? alertRules;
    this.#limits = options.limits ?? defaultLimits;
    this.#sides = {
      source: new Side(
        () => connect(parsed, 'monitor'),
        ({ client }) => readSource(client, slot),
      ),
      audit: new Side(
        () => connect(audit, 'monitor'),
        ({ client }) => readAudit(client, name),
      ),
    };
    this.#file = new AlertFile(options.stateDirectory, name);
    this.#states = new AlertStates(this.#file.read());
    this.#delivery = new Delivery(options.channels ?? [], name, logger);
    this.#health = this.#judged(undefined, undefined, undefined);
    this.#reports = new HealthReports({
      log: name,
      version: options.version,
      sampleMs: options.sampleMs ?? sampleMs,
      status: options.worker.status(),
    });
  }

  /** The name of the log that it looks at. */
  get name(): string {
    return this.#name;
  }

  /** What the worker is doing now. */
  status(): WorkerStatus {
    return this.#options.worker.status();
  }

  /** What was seen last. */
  get health(): Health {
    return this.#health;
  }

  /** Looks now and then until the signal ends it. Never throws: what can't be seen is `undefined`. */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const pauseMs = this.#options.intervalMs ?? intervalMs;
    const startedAtMs = performance.now();
    const isOver = new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    while (!signal.aborted) {
      await Promise.race([this.look(), isOver]);
      const isReady = this.#health.audit !== undefined && this.status().state !== 'starting';
      const isFirst = !isReady && performance.now() - startedAtMs < firstMs;
      const nextMs = isFirst ? Math.min(pauseMs, firstIntervalMs) : pauseMs;
      await delay(nextMs, undefined, { signal }).catch(() => undefined);
    }
    const farewell = this.#looking.then(() => this.#say(true));
    await Promise.race([farewell, delay(farewellMs, undefined, { ref: false })]);
    // A look that waits for a lock ends with its connection.
    await Promise.all([this.#sides.source.end(), this.#sides.audit.end(), this.#delivery.stop()]);
  }

  /** Looks once, after whoever looks already, and tells of alerts that have changed. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    const [source, audit] = await Promise.all([this.#sides.source.read(), this.#sides.audit.read()]);
    if (source) this.#sourcePace.add(source);
    if (audit) this.#auditHour.add(audit);
    const lagSeconds = source && this.#lagClock.add(source);
    this.#health = this.#judged(source, audit, lagSeconds);
    const now = new Date();
    const changed = this.#rules.flatMap((rule) => {
      const judged = rule.judge(this.#health, this.#limits);
      return this.#states.judge(rule, judged, { nowMs: performance.now(), now }) ?? [];
    });
    if (changed.length > 0) {
      this.#health = { ...this.#health, alerts: this.#states.firing };
      this.#file.write(this.#states.firing);
      for (const alert of changed) this.#tell(alert);
    }
    await this.#say(false);
  }

  /** What was seen, in the audit database. Where that can't be now, it is kept. */
  async #say(isLast: boolean): Promise<void> {
    this.#reports.observe({ ...this.#health, worker: this.status() });
    if (isLast) this.#reports.end();
    const access = this.#options.accesses?.();
    await this.#sides.audit.use(({ client }) => this.#reports.send(client, this.#states.firing, access));
  }

  #tell(alert: Alert): void {
    const { worker, logger = silentLogger } = this.#options;
    const fields = { alert: alert.id, evidence: alert.evidence, fix: alert.fix };
    if (alert.state === 'firing') logger.warn(fields, `Alert: ${alert.id}`);
    else logger.info(fields, `No longer: ${alert.id}`);
    const { id, severity, state, evidence, since, at } = alert;
    worker.announce({ event: 'alert', alert: id, severity, state, evidence, since, at });
    this.#reports.tell(alert);
    this.#delivery.send(alert);
  }

  #judged(
    source: SourceReading | undefined,
    audit: AuditReading | undefined,
    lagSeconds: number | undefined,
  ): Health {
    const retained = this.#sourcePace.growth(({ slot }) => slot?.retainedBytes);
    const retainedGrowthPerSecond = retained && retained.by / retained.seconds;
    const database = this.#auditHour.growth(({ databaseBytes }) => databaseBytes);
    const quarantined = this.#auditHour.growth((each) => each.quarantinedRows + each.quarantinedContexts);
    return {
      worker: this.#options.worker.status(),
      source,
      audit,
      lagSeconds,
      retainedGrowthPerSecond,
      secondsUntilLimit: secondsUntilLimit(source?.slot?.safeBytes, retainedGrowthPerSecond),
      newQuarantined: quarantined && Math.max(quarantined.by, 0), // what is erased goes from there
      databaseGrowthPerSecond: database && database.by / database.seconds,
      alerts: this.#states.firing,
    };
  }
}

/** A side that is read over one connection, which is made again when it was lost. */
class Side<R> {
  readonly #connect: () => Promise<OpenConnection>;
  readonly #read: (connection: OpenConnection) => Promise<R>;
  #connection: OpenConnection | undefined;
  #isEnded = false;

  constructor(connect: () => Promise<OpenConnection>, read: (connection: OpenConnection) => Promise<R>) {
    this.#connect = connect;
    this.#read = read;
  }

  /** `undefined` where it can't be reached, or has nothing to read yet. Not called again before it has resolved. */
  async read(): Promise<R | undefined> {
    if (this.#isEnded) return undefined;
    try {
      this.#connection ??= await this.#connect();
      if (!this.#isEnded) return await this.#read(this.#connection);
    } catch {
      // Why is said by the worker, which meets the same.
    }
    await this.#close();
    return undefined;
  }

  /** Uses the connection that was read by. What fails there fails again, and is met, at the next reading. */
  async use(work: (connection: OpenConnection) => Promise<void>): Promise<void> {
    if (this.#isEnded || !this.#connection) return;
    await work(this.#connection).catch(() => undefined);
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    await this.#close();
  }

  async #close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }
}

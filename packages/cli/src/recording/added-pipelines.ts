import { setTimeout as delay } from 'node:timers/promises';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import {
  type AddedSource,
  readAddedSources,
  readSealedUrl,
  sourcesChannel,
} from '@bemi-db/trail/added-sources/added-sources';
import { openUrl, SealedUrlError } from '@bemi-db/trail/added-sources/sealed-url';
import type { AccessRecorder } from '@bemi-db/worker/access/access-recorder';
import { connect, type OpenConnection } from '@bemi-db/worker/connections';
import { explainProblem, ProblemError } from '@bemi-db/worker/problem';
import type { Logger } from 'pino';
import { CliError } from '../cli-error.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { type ExplainedError, explainError } from '../output/explain-error.ts';
import { configuredFromAdded } from './added-source.ts';
import { addedSourceKey } from './added-source-key.ts';
import type { Destination } from './configured-worker.ts';
import { type Pipeline, pipeline, runBesideOthers } from './pipeline.ts';

export interface AddedPipelinesOptions {
  readonly configuration: Configuration;
  readonly destination: Pick<Destination, 'url' | 'setWith'>;
  /** Those that the configuration names: where one has the same name or slot, it rules. */
  readonly configured: readonly Pipeline[];
  /** Of this process. */
  readonly accesses: AccessRecorder;
  readonly logger: Logger;
}

interface Running {
  readonly source: AddedSource;
  readonly pipeline: Pipeline;
  stop(): Promise<void>;
}

/** What there is for a worker that drains. */
export interface MadePipelines {
  readonly pipelines: readonly Pipeline[];
  /** Those that can't have one. */
  readonly refused: readonly { readonly name: string; readonly error: unknown }[];
  /** Why it is not known which there are. */
  readonly unread: unknown;
}

const pollMs = 2_000;
/** As long as a worker that drains tries to reach either side. */
const drainPatienceMs = 30_000;

/**
 * Records the sources that were added in the dashboard, while the process lives: each gets a pipeline when it is added, another
 * one when it is changed, and its pipeline ends when it is removed. What becomes of one is nothing to the others.
 */
export class AddedPipelines {
  readonly #options: AddedPipelinesOptions;
  readonly #running = new Map<string, Running>();
  readonly #problems = new Map<string, ExplainedError>();
  #connection: OpenConnection | undefined;
  #wake: () => void = () => undefined;
  #hasLooked: () => void = () => undefined;
  readonly #firstLook = new Promise<void>((resolve) => {
    this.#hasLooked = resolve;
  });

  constructor(options: AddedPipelinesOptions) {
    this.#options = options;
  }

  /** Those that are recorded now. */
  get pipelines(): readonly Pipeline[] {
    return [...this.#running.values()].map((each) => each.pipeline);
  }

  /** Why one that was added has no pipeline. */
  get problems(): ReadonlyMap<string, ExplainedError> {
    return this.#problems;
  }

  /** Whether there are any, recorded or not. Waits until it was looked once. */
  async hasAny(): Promise<boolean> {
    await this.#firstLook;
    return this.#running.size + this.#problems.size > 0;
  }

  /** Follows what is added, changed and removed until the signal comes; then all of them are stopped. */
  async run(signal: AbortSignal): Promise<void> {
    let said: string | undefined;
    while (!signal.aborted) {
      try {
        await this.#follow(await this.#read(), signal);
        said = undefined;
      } catch (error) {
        const { code, message, fix } = this.#explained(error);
        if (said !== message) this.#options.logger.warn({ code, fix }, `Added sources: ${message}`);
        said = message;
        await this.#disconnect();
      }
      this.#hasLooked();
      await this.#pause(signal);
    }
    this.#hasLooked();
    await Promise.all([...this.#running.keys()].map((name) => this.#stop(name)));
    await this.#disconnect();
  }

  /** Makes the pipelines of those that are there, and starts none: for a worker that drains. Never throws. */
  async make(signal: AbortSignal): Promise<MadePipelines> {
    const pipelines: Pipeline[] = [];
    const refused: { name: string; error: unknown }[] = [];
    let unread: unknown;
    try {
      await this.#connectedWithPatience(signal);
      for (const source of await this.#read()) {
        const made = await this.#made(source, pipelines);
        if ('pipeline' in made) pipelines.push(made.pipeline);
        else refused.push({ name: source.name, error: made.error });
      }
    } catch (error) {
      const problem = this.#explained(error);
      unread = new ProblemError(problem, error);
      const { code, message, fix } = problem;
      this.#options.logger.error({ code, fix }, `Added sources: ${message}`);
    } finally {
      await this.#disconnect();
    }
    return { pipelines, refused, unread };
  }

  /**
   * How many there are.
   *
   * @throws ProblemError when the audit database can't be read.
   */
  async count(): Promise<number> {
    try {
      return (await this.#read()).length;
    } catch (error) {
      throw new ProblemError(this.#explained(error), error);
    } finally {
      await this.#disconnect();
    }
  }

  async #read(): Promise<readonly AddedSource[]> {
    return await readAddedSources((await this.#connected()).client);
  }

  async #connectedWithPatience(signal: AbortSignal): Promise<OpenConnection> {
    const startedAtMs = performance.now();
    for (;;) {
      try {
        return await this.#connected();
      } catch (error) {
        const isOver = signal.aborted || performance.now() + pollMs - startedAtMs > drainPatienceMs;
        if (isOver || this.#explained(error).kind !== 'retry') throw error;
      }
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #follow(sources: readonly AddedSource[], signal: AbortSignal): Promise<void> {
    const isCurrent = ({ source }: Running): boolean =>
      sources.some(({ id, revision }) => id === source.id && revision === source.revision);
    const outdated = [...this.#running].filter(([, running]) => !isCurrent(running));
    await Promise.all(outdated.map(([name]) => this.#stop(name)));
    for (const name of [...this.#problems.keys()]) {
      if (!sources.some((source) => source.name === name)) this.#problems.delete(name);
    }
    for (const source of sources) {
      if (signal.aborted || this.#running.has(source.name)) continue;
      const made = await this.#made(source, this.pipelines);
      if ('pipeline' in made) this.#start(source, made.pipeline);
    }
  }

  /** A pipeline for it, or why it can't have one, which is said once. */
  async #made(
    source: AddedSource,
    others: readonly Pipeline[],
  ): Promise<{ readonly pipeline: Pipeline } | { readonly error: unknown }> {
    const { configuration, destination, configured, accesses, logger } = this.#options;
    const { name } = source;
    try {
      refuseShared(source, [...configured, ...others], configured);
      const sealed = await readSealedUrl((await this.#connected()).client, source.id);
      if (!sealed) throw new SealedUrlError(name);
      const url = openUrl(sealed, await addedSourceKey(configuration), name);
      const made = pipeline(configuredFromAdded(configuration, source, url), destination, logger, {
        accesses,
        isOneOfSeveral: true,
      });
      this.#problems.delete(name);
      return { pipeline: made };
    } catch (error) {
      const problem = explainError(error);
      const { code, message, fix } = problem;
      if (this.#problems.get(name)?.message !== message) logger.error({ source: name, code, fix }, message);
      this.#problems.set(name, problem);
      return { error };
    }
  }

  #start(source: AddedSource, started: Pipeline): void {
    const abort = new AbortController();
    const monitoring = new AbortController();
    const never = () => new Promise<void>(() => undefined);
    const recorded = runBesideOthers(started, abort.signal, never);
    const monitored = started.monitor.run({ signal: monitoring.signal });
    this.#running.set(source.name, {
      ...{ source, pipeline: started },
      async stop() {
        abort.abort();
        await recorded;
        monitoring.abort();
        await monitored;
        const { changes, transactions } = started.worker.status();
        started.logger.info({ changes, transactions }, 'Stopped');
      },
    });
  }

  async #stop(name: string): Promise<void> {
    await this.#running.get(name)?.stop();
    this.#running.delete(name);
  }

  /** Until somebody says that sources were changed, or it is time to look: a pooler may keep what is said to itself. */
  async #pause(signal: AbortSignal): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    await delay(pollMs, undefined, { signal: AbortSignal.any([signal, woken.signal]) }).catch(
      () => undefined,
    );
  }

  async #connected(): Promise<OpenConnection> {
    if (this.#connection) return this.#connection;
    const connection = await connect(this.#target(), 'worker: sources');
    this.#connection = connection;
    connection.client.on('notification', () => this.#wake());
    await connection.client.query(`LISTEN ${sourcesChannel}`);
    return connection;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    await connection?.close();
  }

  #target() {
    const { url, setWith } = this.#options.destination;
    return parseConnectionString(url, setWith);
  }

  #explained(error: unknown) {
    return explainProblem(error, { database: 'audit', phase: 'inspect', target: this.#target().target });
  }
}

/** A log has one source, and a slot one reader: what the configuration names comes first. */
function refuseShared(
  { name, host, port, slot }: AddedSource,
  others: readonly Pipeline[],
  configured: readonly Pipeline[],
): void {
  const namesake = others.find((other) => other.name === name);
  if (namesake) {
    throw new CliError(
      2,
      'source-configured',
      `The configuration has a source ${name} too, which is recorded instead of the one that was added`,
      'Remove one of them; or add it by another name.',
    );
  }
  const other = others.find((each) => each.place === `${slot} of ${host}:${port}`);
  if (!other) return;
  throw new CliError(
    2,
    'shared-slot',
    `The sources ${other.name} and ${name} have the same replication slot, ${other.place}`,
    `${configured.includes(other) ? 'That one is configured' : 'That one was there first'}: give this one a slot of its own, such as bemi_${name
      .toLowerCase()
      .replaceAll(/[^a-z0-9_]/g, '_')
      .slice(0, 58)}`,
  );
}

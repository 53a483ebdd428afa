import type { Logger } from '../logger.ts';
import type { Problem } from '../problem.ts';
import { explainPublicationError } from './publication-problem.ts';

export interface TargetStatus {
  /** `files`: holds checkpoints and tiles; `witness`: cosigns checkpoints. */
  readonly kind: 'files' | 'witness';
  readonly name: string;
  readonly isOffHost: boolean;
  /** By this worker, since it started. */
  readonly lastPublishedAt: Date | undefined;
  readonly lastPublishedSize: number | undefined;
  readonly problem: Problem | undefined;
}

/** How publishing to one target goes, and one log line for each change of it. */
export class PublicationHealth {
  readonly #target: Pick<TargetStatus, 'kind' | 'name' | 'isOffHost'>;
  readonly #logger: Logger;
  #lastPublishedAt: Date | undefined;
  #lastPublishedSize: number | undefined;
  #problem: Problem | undefined;

  constructor(target: Pick<TargetStatus, 'kind' | 'name' | 'isOffHost'>, logger: Logger) {
    this.#target = target;
    this.#logger = logger;
  }

  get hasConflict(): boolean {
    return this.#problem?.code === 'publication-conflict';
  }

  published(size: number): void {
    if (this.#problem) this.#logger.info({ target: this.#target.name, size }, 'Publishing again');
    this.#problem = undefined;
    this.kept(size);
  }

  /** A checkpoint is there, whatever else isn't. */
  kept(size: number): void {
    this.#lastPublishedAt = new Date();
    this.#lastPublishedSize = size;
  }

  failed(error: unknown): void {
    const problem = explainPublicationError(error, this.#target.name);
    if (problem.code !== this.#problem?.code || problem.message !== this.#problem.message) {
      const write = problem.kind === 'refuse' ? this.#logger.error : this.#logger.warn;
      write.call(
        this.#logger,
        { target: this.#target.name, code: problem.code, fix: problem.fix },
        problem.message,
      );
    }
    this.#problem = problem;
  }

  status(): TargetStatus {
    const { kind, name, isOffHost } = this.#target;
    return {
      kind,
      name,
      isOffHost,
      lastPublishedAt: this.#lastPublishedAt,
      lastPublishedSize: this.#lastPublishedSize,
      problem: this.#problem,
    };
  }
}

import type { ConnectionAttempt, ConnectionPhase } from '@bemi-db/source/connection-attempt';
import { explainConnectionError } from '@bemi-db/source/connection-errors';
import { sqlStateOtherEnd, sqlStateTakenOver } from '@bemi-db/trail/append/log-writer';
import { AuditEncodingError, NewerSchemaError, SchemaNotCurrentError } from '@bemi-db/trail/migrate';
import { UnreadableRulesError } from '@bemi-db/trail/rules/recorded-rules';
import { RefusalError } from './refusal.ts';
import { SigningKeyError } from './signing/signing-key.ts';

/** What keeps the worker from recording, as it is shown to people. */
export interface Problem {
  /** Stable, in kebab-case. */
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  /**
   * `retry`: a server, a person at one, or time can cure it, so the worker tries again. `refuse`: going on would
   * leave a gap or mix histories, or is a defect of ours. `configuration`: no server can cure it.
   */
  readonly kind: 'retry' | 'refuse' | 'configuration';
}

/** A failure of the pipeline that is already explained. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(problem.message, { cause });
    this.problem = problem;
  }
}

/** Of bemi.drop_entries: nothing else in the audit database waits for a lock only so long. */
const sqlStateLockNotAvailable = '55P03';

const sqlStateUniqueViolation = '23505';

/** Explains an error by what was being done when it came. A pure function of the two. */
export function explainProblem(error: unknown, attempt: ConnectionAttempt): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof RefusalError) {
    return { code: error.code, message: error.message, fix: error.fix, kind: 'refuse' };
  }
  if (error instanceof SigningKeyError) {
    return {
      code: 'signing-key',
      message: error.message,
      fix: 'Make it readable for the worker, and put the key there that the log was signed with.',
      kind: 'configuration',
    };
  }
  if (error instanceof NewerSchemaError) {
    return {
      code: 'newer-schema',
      message: error.message,
      fix: 'Run the version of Bemi that migrated it, or a newer one.',
      kind: 'configuration',
    };
  }
  if (error instanceof SchemaNotCurrentError) {
    return {
      code: 'schema-setup',
      message: error.message.replace('this role', `the role ${attempt.target.role}`),
      fix: 'As its administrator: bemi setup --destination postgres://postgres:password@host:5432/database',
      kind: 'configuration',
    };
  }
  if (error instanceof AuditEncodingError) {
    return {
      code: 'audit-encoding',
      message: error.message,
      fix: `CREATE DATABASE … TEMPLATE template0 ENCODING 'UTF8'; and name that one in ${attempt.target.setting}`,
      kind: 'configuration',
    };
  }
  if (error instanceof UnreadableRulesError) {
    return {
      code: 'rules-unreadable',
      message: error.message,
      fix: 'Run the version of Bemi that set them, or a newer one. Where nobody has: bemi verify says whether the entry was altered.',
      kind: 'configuration',
    };
  }
  const state = error instanceof Error && 'code' in error ? error.code : undefined;
  if (state === sqlStateTakenOver || state === sqlStateOtherEnd) {
    return {
      code: 'taken-over',
      message: 'Another worker has taken the log over',
      fix: 'Nothing to do: this one waits, and takes over when the other ends.',
      kind: 'retry',
    };
  }
  if (state === sqlStateLockNotAvailable && attempt.database === 'audit') {
    return {
      code: 'audit-busy',
      message: 'Expired partitions could not be dropped: somebody is reading the log',
      fix: 'Nothing to do: the worker goes on, and tries again.',
      kind: 'retry',
    };
  }
  // The writer numbers the entries, and only goes on from where the log ends: nobody else may have written there.
  if (state === sqlStateUniqueViolation && attempt.database === 'audit' && attempt.phase === 'write') {
    return {
      code: 'log-altered',
      message: 'Entries stand behind the end of the log, which the worker did not write',
      fix: 'bemi verify names them. Find out who may write to the audit database (docs/security.md), and remove them as its owner.',
      kind: 'refuse',
    };
  }
  const { retry, ...explanation } = explainConnectionError(error, attempt);
  if (explanation.code === 'unexpected') return { ...explanation, kind: 'refuse' };
  return { ...explanation, kind: retry ? 'retry' : 'configuration' };
}

/** Runs one step of the pipeline, so that its errors are explained by what it was. */
export async function during<T>(attempt: ConnectionAttempt, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError(explainProblem(error, attempt), error);
  }
}

export type { ConnectionPhase };

import { type Problem, ProblemError } from '../problem.ts';

/** Why something can't be published to a target. The publisher tries again, whichever it is. */
export type PublicationCode =
  | 'publication-url'
  | 'publication-credentials'
  | 'publication-refused'
  | 'publication-unreachable'
  | 'publication-directory'
  | 'publication-tiles'
  | 'publication-records'
  | 'publication-conflict';

const kinds: Record<PublicationCode, Problem['kind']> = {
  'publication-url': 'configuration',
  'publication-credentials': 'configuration',
  'publication-refused': 'retry',
  'publication-unreachable': 'retry',
  'publication-directory': 'retry',
  'publication-tiles': 'refuse',
  'publication-records': 'refuse',
  'publication-conflict': 'refuse',
};

/** An error with what to do. `message` and `fix` never hold a URL as it was given: there may be a secret in it. */
export function publicationError(
  code: PublicationCode,
  message: string,
  fix: string,
  cause?: unknown,
): ProblemError {
  return new ProblemError({ code, message, fix, kind: kinds[code] }, cause);
}

/** What the target holds is not a beginning of this log. */
export function conflictError(targetName: string, what: string): ProblemError {
  return publicationError(
    'publication-conflict',
    `${targetName} ${what}: nothing more is published there.`,
    'Run bemi verify with a checkpoint from there. If the audit database was restored or altered, put it right; if another log is published there, give each log a place of its own.',
  );
}

/** The problem that an error of a target, or any other, stands for. */
export function explainPublicationError(error: unknown, targetName: string): Problem {
  if (error instanceof ProblemError) return error.problem;
  return {
    code: 'publication-unreachable',
    message: `${targetName}: publishing failed (${error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'})`,
    fix: 'Nothing to do when it passes; else report it.',
    kind: 'retry',
  };
}

import { CliError } from '../cli-error.ts';

/** An error as it is shown: what happened, why, and what to do. Never anything secret. */
export interface ExplainedError {
  readonly code: string;
  readonly message: string;
  readonly fix: string;
  readonly exitCode: 1 | 2;
}

/**
 * Explains whatever a command threw. Errors of the other packages are known by what they carry, not by their class: so
 * that showing one does not load the package.
 */
export function explainError(error: unknown): ExplainedError {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return unexpected(typeof error);
  const carried = error as Error & { problem?: unknown; code?: unknown; fix?: unknown; step?: unknown };
  switch (error.name) {
    case 'ProblemError': {
      const { code, message, fix, kind } = carried.problem as Record<
        'code' | 'message' | 'fix' | 'kind',
        string
      >;
      return { code, message, fix, exitCode: kind === 'configuration' ? 2 : 1 };
    }
    case 'EncryptionKeyError':
      return { ...shown(carried), code: 'configuration', exitCode: 2 };
    case 'KeptSecretError':
      return { ...shown(carried), code: 'kept-secret', exitCode: 2 };
    case 'SealedUrlError':
      return { ...shown(carried), code: 'source-sealed', exitCode: 1 };
    case 'AccountsSchemaError':
      return { ...shown(carried), code: 'accounts-schema', exitCode: 1 };
    case 'ConnectionStringError':
      return { ...shown(carried), exitCode: 2 };
    case 'PlanError': {
      // What was typed on the command line, or what the tables are like.
      const isUsage = carried.code === 'unknown-table' || carried.code === 'no-tables';
      return { ...shown(carried), exitCode: isUsage ? 2 : 1 };
    }
    case 'ApplyError':
      return { ...shown(carried), code: 'setup-step', exitCode: 1 };
    default:
      return unexpected(error.name);
  }
}

function shown(error: Error & { code?: unknown; fix?: unknown }): Omit<ExplainedError, 'exitCode'> {
  return { code: String(error.code), message: error.message, fix: String(error.fix) };
}

/** Its message is left out: of an unknown error it may quote values of rows, or a URL. */
function unexpected(name: string): ExplainedError {
  return {
    code: 'unexpected',
    message: `Unexpected ${name}`,
    fix: 'Run it again with BEMI_LOG_LEVEL=debug, and report what it prints.',
    exitCode: 1,
  };
}

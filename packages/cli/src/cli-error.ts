/**
 * Why a command can't do what it was asked, already explained.
 *
 * Exit code 1: a finding or a failure. 2: wrong usage, or configuration that no server can cure.
 */
export class CliError extends Error {
  override readonly name = 'CliError';
  /** Stable, in kebab-case. */
  readonly code: string;
  /** What to do, in words or as commands; may have several lines. */
  readonly fix: string;
  readonly exitCode: 1 | 2;

  constructor(exitCode: 1 | 2, code: string, message: string, fix: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
    this.code = code;
    this.fix = fix;
  }
}

/** Wrong usage: of a flag, an argument. */
export function usageError(message: string, fix: string): CliError {
  return new CliError(2, 'usage', message, fix);
}

/** Configuration that no server can cure. */
export function configurationError(message: string, fix: string): CliError {
  return new CliError(2, 'configuration', message, fix);
}

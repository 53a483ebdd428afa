/** Ends a request with an answer that says what is wrong and what to do. */
export class ApiProblem extends Error {
  override readonly name = 'ApiProblem';
  readonly status: 400 | 401 | 403 | 404 | 409 | 411 | 413 | 415 | 422 | 429 | 503;
  /** Stable, in kebab-case. */
  readonly code: string;
  readonly fix: string | undefined;

  constructor(
    status: ApiProblem['status'],
    code: string,
    message: string,
    fix?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.fix = fix;
  }
}

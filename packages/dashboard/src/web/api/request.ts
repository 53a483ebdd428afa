import type { Problem } from '../../api/problem.ts';

/** What the server says of a request that it did not answer. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly fix: string | undefined;

  constructor(
    status: number,
    code: string,
    message: string,
    fix: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = status;
    this.code = code;
    this.fix = fix;
  }
}

/** Members of a query: `undefined` is left out, a list is repeated. */
export type QueryMembers = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** `?table=a&table=b`, or nothing. */
export function queryText(members: QueryMembers): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value])
      parameters.append(name, String(each));
  }
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}

/**
 * Reads from the API.
 *
 * @param path - with its leading slash, below `/api/v1`.
 * @throws RequestError with what the server says.
 */
export async function request<T>(path: string, signal?: AbortSignal): Promise<T> {
  const options = { headers: { accept: 'application/json' }, ...(signal ? { signal } : {}) };
  return (await (await answerOf(() => fetch(`/api/v1${path}`, options))).json()) as T;
}

/** Reads what is no JSON, as text. */
export async function requestText(path: string, signal?: AbortSignal): Promise<string> {
  const options = { headers: { accept: 'text/plain, application/json' }, ...(signal ? { signal } : {}) };
  return await (await answerOf(() => fetch(`/api/v1${path}`, options))).text();
}

/** Sends JSON to the API. */
export async function send<T>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const headers = { accept: 'application/json', 'content-type': 'application/json' };
  const options = {
    ...{ method, headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal ? { signal } : {}),
  };
  const response = await answerOf(() => fetch(`/api/v1${path}`, options));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function answerOf(ask: () => Promise<Response>): Promise<Response> {
  let response: Response;
  try {
    response = await ask();
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw new RequestError(0, 'unreachable', 'Bemi can’t be reached', 'Look whether it runs: bemi status', {
      cause,
    });
  }
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({ error: undefined }))) as Partial<Problem>;
  throw new RequestError(
    response.status,
    error?.code ?? 'failed',
    error?.message ?? `The server answered ${response.status}`,
    error?.fix,
  );
}

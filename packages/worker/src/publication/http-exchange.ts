import { publicationError } from './publication-problem.ts';

export interface HttpRequest {
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'POST';
  readonly headers: Record<string, string> | Headers;
  readonly body?: Uint8Array | string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

const timeoutMs = 10_000;
/** More than any checkpoint or tile has. */
const longestBodyBytes = 1_000_000;

/**
 * Sends one request and reads the answer, both within ten seconds. Redirects aren't followed: they would carry what is
 * published, and tokens, to where nobody said.
 *
 * @param targetName - how messages call the other side
 * @throws ProblemError where there is no answer; a status that says no is an answer
 */
export async function exchange(
  targetName: string,
  { url, method, headers, body }: HttpRequest,
  signal?: AbortSignal,
): Promise<HttpAnswer> {
  // Not AbortSignal.any: what hangs on a signal that lives for months would have to be collected with it.
  const controller = new AbortController();
  let hasTimedOut = false;
  const timer = setTimeout(() => {
    hasTimedOut = true;
    controller.abort();
  }, timeoutMs);
  const stop = () => controller.abort();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    signal?.throwIfAborted();
    const response = await fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: body as string | Uint8Array<ArrayBuffer> }),
      redirect: 'manual',
      signal: controller.signal,
    });
    return { status: response.status, headers: response.headers, body: await readBody(response) };
  } catch (error) {
    const reason = hasTimedOut ? 'no answer within 10 s' : networkReason(error);
    throw publicationError(
      'publication-unreachable',
      `${targetName} can't be reached: ${reason}.`,
      'Check the address, the network and the firewall between; publishing catches up when it answers.',
      error,
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response.body ?? []) {
    length += part.length;
    if (length > longestBodyBytes) throw new Error('its answer is too long');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Node's fetch says "fetch failed"; the cause's code says why. */
function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.message;
}

/** Whether requests to this host stay on this machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

import { exchange, type HttpAnswer, isLoopback } from './http-exchange.ts';
import { publicationError } from './publication-problem.ts';
import type { PublicationTarget } from './publication-target.ts';

export interface HttpTargetOptions {
  /** Without query, credentials and fragment. */
  readonly url: URL;
  /** BEMI_CHECKPOINT_TOKEN. */
  readonly token: string | undefined;
  readonly minIntervalMs: number | undefined;
  readonly hasRecords: boolean;
}

/**
 * An HTTP endpoint that takes files by PUT and gives them back by GET. An immutable file is sent with
 * `If-None-Match: *`, so that an endpoint may refuse to replace any: with 412, which is no failure.
 */
export function httpTarget({ url, token, minIntervalMs, hasRecords }: HttpTargetOptions): PublicationTarget {
  const base = url.href.replace(/\/+$/, '');
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  return {
    kind: 'files',
    name: base,
    isOffHost: !isLoopback(url.hostname),
    minIntervalMs,
    hasRecords,
    async read(path, signal) {
      const headers = { ...authorization, 'cache-control': 'no-cache' };
      const answer = await exchange(base, { url: `${base}/${path}`, method: 'GET', headers }, signal);
      if (answer.status === 404) return undefined;
      if (answer.status !== 200) throw refused(base, 'GET', answer, token !== undefined);
      return answer.body;
    },
    async write(path, bytes, { contentType, isImmutable, signal }) {
      const headers = {
        ...authorization,
        'content-type': contentType,
        'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
        ...(isImmutable ? { 'if-none-match': '*' } : {}),
      };
      const answer = await exchange(
        base,
        { url: `${base}/${path}`, method: 'PUT', headers, body: bytes },
        signal,
      );
      if (isImmutable && answer.status === 412) return 'present';
      if (answer.status !== 200 && answer.status !== 201 && answer.status !== 204)
        throw refused(base, 'PUT', answer, token !== undefined);
      return 'written';
    },
  };
}

function refused(name: string, method: string, { status }: HttpAnswer, hasToken: boolean): Error {
  const message = `${name} answers ${method} with ${status}.`;
  if (status === 401 || status === 403) {
    return publicationError(
      'publication-refused',
      message,
      hasToken
        ? 'It does not accept the token in BEMI_CHECKPOINT_TOKEN for reading and writing: set the right one.'
        : 'It wants a token: set it in BEMI_CHECKPOINT_TOKEN.',
    );
  }
  if (status >= 500 || status === 429) {
    return publicationError(
      'publication-unreachable',
      message,
      'See the logs of that server; it is tried again.',
    );
  }
  return publicationError(
    'publication-refused',
    message,
    status >= 300 && status < 400
      ? 'Set the URL that it redirects to: redirects are not followed.'
      : 'The endpoint must take PUT and answer GET, 404 where there is nothing, for every path below the URL.',
  );
}

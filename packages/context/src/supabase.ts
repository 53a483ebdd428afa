/**
 * The carrier for Supabase JS, whose statements PostgREST runs: the context goes with each writing request as a header,
 * and a function in the database, which PostgREST calls first in each request's transaction, makes it the message.
 * docs/context/supabase.md has the function.
 *
 * @see https://docs.postgrest.org/en/stable/references/transactions.html#pre-request
 */
import { messageSigner, type SigningOptions } from './authentic-message.ts';
import { currentBemiContext } from './context.ts';
import { contextMessage, DROPPED_MEMBER } from './message.ts';

/** The header, as the function in the database reads it. */
export const CONTEXT_HEADER = 'x-bemi-context';

/** Proxies take headers of 8 KB in all. */
const MAX_HEADER_BYTES = 6000;
const TOO_LARGE = JSON.stringify({ [DROPPED_MEMBER]: { '': 'too large for a header' } });

type Fetch = typeof globalThis.fetch;

/** What {@link fetchWithContext} may be told. */
export interface SupabaseOptions extends SigningOptions {
  /** What sends the requests. Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** The name of the database, which an authentic context says. Default: `postgres`, as it is at Supabase. */
  readonly database?: string;
}

/**
 * A `fetch` that sends the context with each writing request to Supabase's REST API. Other requests are left as they
 * are. For code on a server: who can send requests by themselves can send any context, but no authentic one.
 *
 * @example
 * const supabase = createClient(url, key, { global: { fetch: fetchWithContext() } });
 * await runWithBemiContext({ userId: 'u1' }, () => supabase.from('patient').insert({ name: 'Ada' }));
 */
export function fetchWithContext(options: SupabaseOptions = {}): Fetch {
  const { fetch = globalThis.fetch, database = 'postgres' } = options;
  const sign = messageSigner(options);
  return (input, init) => {
    const message = messageFor(input, init);
    if (message === undefined) return fetch(input, init);
    const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
    headers.set(CONTEXT_HEADER, sign ? sign(message, database) : message);
    return fetch(input, { ...init, headers });
  };
}

function messageFor(input: Parameters<Fetch>[0], init: Parameters<Fetch>[1]): string | undefined {
  const context = currentBemiContext();
  if (context === undefined || Object.keys(context).length === 0) return undefined;
  const method = init?.method ?? (input instanceof Request ? input.method : 'GET');
  if (/^(?:get|head|options)$/i.test(method)) return undefined;
  const url = input instanceof Request ? input.url : String(input);
  if (!new URL(url).pathname.startsWith('/rest/v1/')) return undefined;
  const message = contextMessage(context);
  return message.length > MAX_HEADER_BYTES ? TOO_LARGE : message;
}

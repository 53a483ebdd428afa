import { firstAdminLink } from './first-admin-link.ts';
import type { Running } from './run-bemi.ts';

/** Whoever made the first account of a running `bemi start`, signed in. */
export interface FirstAdmin {
  readonly origin: string;
  /** Asks the API, below `/api/v1`. */
  ask(path: string, method?: string, body?: unknown): Promise<ApiAnswer>;
}

export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
}

/** Makes the first admin by the link that is printed. */
export async function firstAdmin(bemi: Running): Promise<FirstAdmin> {
  const link = await firstAdminLink(bemi);
  const { origin } = link;
  const headers = { origin, 'content-type': 'application/json' };
  const answer = await fetch(`${origin}/api/v1/auth/link/accept`, {
    method: 'POST',
    headers,
    body: JSON.stringify({
      ...{ token: link.hash.slice(1), email: 'ada@clinic.example', name: 'Ada' },
      password: 'violet harbour mends 7 kettles',
    }),
  });
  if (!answer.ok) throw new Error(`No admin could be made: ${await answer.text()}`);
  const cookies = answer.headers.getSetCookie().map((each) => each.split(';')[0]!);
  return {
    origin,

    async ask(path, method = 'GET', body) {
      const response = await fetch(`${origin}/api/v1${path}`, {
        method,
        headers: { ...headers, cookie: cookies.join('; ') },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, text, json: text === '' ? undefined : JSON.parse(text) };
    },
  };
}

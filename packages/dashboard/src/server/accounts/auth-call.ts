import { APIError } from 'better-auth/api';
import type { Context } from 'hono';
import { addressOf } from '../asker.ts';
import { addressHeader } from './authentication.ts';

/** The request's headers, with the address that we know in place of any that is claimed. */
export function authHeaders(c: Context): Headers {
  const headers = new Headers(c.req.raw.headers);
  const address = addressOf(c);
  headers.delete(addressHeader);
  if (address !== undefined) headers.set(addressHeader, address);
  return headers;
}

/** Cookies that were set are set on our answer. */
export function passCookies(c: Context, headers: Headers): void {
  for (const cookie of headers.getSetCookie()) c.header('set-cookie', cookie, { append: true });
}

/** The code of what better-auth refuses; other errors are thrown on. */
export function refusalOf(error: unknown): string {
  if (!(error instanceof APIError) || error.statusCode >= 500) throw error;
  const { code } = (error.body ?? {}) as { readonly code?: unknown };
  return typeof code === 'string' ? code : String(error.status);
}

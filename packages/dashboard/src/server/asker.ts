import type { Access } from '@bemi-db/trail/access/access';
import type { Context } from 'hono';
import type { DashboardEnvironment } from './guarded-route.ts';

/** What an access says of whoever asks: by account or key, from where, with what. */
export function askerOf(
  c: Context<DashboardEnvironment>,
): Pick<Access, 'via' | 'by' | 'address' | 'userAgent'> {
  const { kind, id, name, email } = c.get('principal');
  const address = addressOf(c);
  const userAgent = c.req.header('user-agent');
  return {
    via: kind === 'person' ? 'dashboard' : 'api',
    by: { id, name, ...(email === undefined ? {} : { email }) },
    ...(address === undefined ? {} : { address }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

/** Where the request comes from, as `clientAddress` has found out; `undefined` in a test without a server. */
export function addressOf(c: Context): string | undefined {
  return (c as Context<DashboardEnvironment>).get('address');
}

import { parseConnectionString } from '@bemi-db/source/connection-string';
import { createDatabase, type TestDatabase } from '@bemi-db/test-kit/database';
import type { Access } from '@bemi-db/trail/access/access';
import { expect, onTestFinished } from 'vitest';
import {
  type Accounts,
  type AccountsOptions,
  createAccounts,
} from '../src/server/accounts/create-accounts.ts';
import { createAuditReader } from '../src/server/audit-reader.ts';
import { createDashboard, type Dashboard } from '../src/server/create-dashboard.ts';

export const origin = 'http://bemi.test';
export const goodPassword = 'violet harbour mends 7 kettles';

export interface AccountsOfTest {
  readonly accounts: Accounts;
  readonly database: TestDatabase;
  readonly dashboard: Dashboard;
  /** What was to be recorded. */
  readonly accesses: Access[];
  /** A browser of its own: it keeps its cookies. */
  browser(): Browser;
  /** The first admin, signed in. */
  admin(): Promise<Browser>;
}

export interface Browser {
  get(path: string): Promise<Response>;
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** By name, as `name=value`. */
  readonly cookies: Map<string, string>;
}

/** Accounts, in a database of their own where none is given, behind a dashboard that listens nowhere. */
export async function accountsOfTest(
  options: Partial<Omit<AccountsOptions, 'database'>> & { readonly audit?: TestDatabase } = {},
): Promise<AccountsOfTest> {
  const { audit, ...others } = options;
  const database = audit ?? (await createDatabase());
  const { config } = parseConnectionString(database.url, 'the test');
  const accesses: Access[] = [];
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  onTestFinished(() => expect(errors).toEqual([]));
  const publicUrl = options.publicUrl ?? origin;
  const accounts = await createAccounts({
    ...{ database: config, secret: 'of the test'.repeat(4), publicUrl, onError },
    record: async (access) => void accesses.push(access),
    ...others,
  });
  onTestFinished(() => accounts.close());
  const reader = createAuditReader(config);
  onTestFinished(() => reader.close());
  const { authenticate } = accounts;
  const dashboard = createDashboard({
    reader,
    authenticate,
    accounts,
    publicUrl,
    version: '0.0.0-test',
    onError,
  });
  const browser = () => browserOf(dashboard, publicUrl);
  return {
    ...{ accounts, database, dashboard, accesses, browser },
    async admin() {
      const link = await accounts.firstAdminLink();
      const token = new URL(link!.url).hash.slice(1);
      const ada = browser();
      const answer = await ada.send('POST', '/api/v1/auth/link/accept', {
        ...{ token, email: 'Ada@clinic.example', name: 'Ada', password: goodPassword },
      });
      expect(await answer.json()).toEqual({ next: 'signed-in' });
      return ada;
    },
  };
}

export function browserOf(dashboard: Pick<Dashboard, 'request'>, publicUrl: string): Browser {
  const cookies = new Map<string, string>();
  const send: Browser['send'] = async (method, path, body, headers = {}) => {
    const answer = await dashboard.request(`${publicUrl}${path}`, {
      method,
      headers: {
        ...(cookies.size > 0 ? { cookie: [...cookies.values()].join('; ') } : {}),
        ...(method === 'GET' ? {} : { origin: publicUrl, 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const pair = cookie.slice(0, cookie.indexOf(';'));
      const name = pair.slice(0, pair.indexOf('='));
      if (/max-age=0/i.test(cookie)) cookies.delete(name);
      else cookies.set(name, pair);
    }
    return answer;
  };
  return { cookies, send, get: (path) => send('GET', path) };
}

import type { Access } from '@bemi-db/trail/access/access';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type pg from 'pg';
import type { DashboardEnvironment } from '../guarded-route.ts';
import type { Authenticate } from '../principal.ts';
import { accountRecords } from './account-services.ts';
import { openAccounts } from './accounts-schema.ts';
import { principalOfKey } from './api-keys.ts';
import { clearAttempts } from './attempts.ts';
import { createAuthentication, type SingleSignOn } from './authentication.ts';
import { keyRoutes } from './key-routes.ts';
import { linkRoutes } from './link-routes.ts';
import { linkPath, makeLink } from './one-time-link.ts';
import { ownAccountRoutes } from './own-account-routes.ts';
import { peopleRoutes } from './people-routes.ts';
import { findSession } from './principal-of-session.ts';
import { signInRoutes } from './sign-in-routes.ts';
import { singleSignOnRoutes } from './single-sign-on-routes.ts';

export interface AccountsOptions {
  /** Where accounts are kept, as a role of their own where there is one. */
  readonly database: pg.ClientConfig;
  /** Of `cookieSecret`. */
  readonly secret: string;
  /** Where people reach the pages, such as `https://audit.clinic.example`. */
  readonly publicUrl: string;
  readonly singleSignOn?: SingleSignOn | undefined;
  /** Asks for an entry of the log of accesses. */
  readonly record: (access: Access) => Promise<void>;
  /** Told of what went wrong without being the asker's fault. */
  readonly onError: (error: unknown) => void;
}

/** Who may use the dashboard and its API. */
export interface Accounts {
  readonly authenticate: Authenticate;
  /** Adds `/api/v1/auth/…` and `/api/v1/accounts/…`. */
  addRoutes(app: OpenAPIHono<DashboardEnvironment>): void;
  /**
   * A link that makes the first admin, good for a day and until there is one.
   *
   * @returns its address, which is a secret; `undefined` where there is an admin.
   */
  firstAdminLink(): Promise<{ readonly url: string; readonly expiresAt: Date } | undefined>;
  close(): Promise<void>;
}

const upkeepMs = 60 * 60 * 1000;
const firstAdminHours = 24;

/**
 * Brings the schema of accounts up to date and opens it.
 *
 * @throws AccountsSchemaError where the role may not make or change the schema.
 */
export async function createAccounts(options: AccountsOptions): Promise<Accounts> {
  const { secret, publicUrl, singleSignOn, onError } = options;
  const database = await openAccounts(options.database);
  const auth = createAuthentication({ database, secret, publicUrl, singleSignOn });
  const services = { database, auth, singleSignOn, ...accountRecords(options) };
  const upkeep = setInterval(() => void clearAttempts(database).catch(onError), upkeepMs);
  upkeep.unref();
  return {
    async authenticate({ headers }) {
      const authorization = headers.get('authorization');
      // Whoever sends a key means it: a wrong one does not fall back on a cookie.
      if (authorization !== null) {
        const key = /^Bearer (\S+)$/i.exec(authorization)?.[1];
        return key === undefined ? undefined : await principalOfKey(database, key);
      }
      return (await findSession(services, headers))?.principal;
    },
    addRoutes(app) {
      signInRoutes(app, services);
      linkRoutes(app, services);
      singleSignOnRoutes(app, services);
      ownAccountRoutes(app, services);
      peopleRoutes(app, services);
      keyRoutes(app, services);
    },
    async firstAdminLink() {
      const { rowCount } = await database.pool.query(
        `SELECT FROM bemi_accounts.people WHERE role = 'admin' LIMIT 1`,
      );
      if (rowCount !== 0) return undefined;
      const nobody = { email: undefined, name: undefined, tables: undefined, personId: undefined };
      const { token, expiresAt } = await makeLink(database.pool, {
        ...{ ...nobody, kind: 'first-admin', role: 'admin', createdBy: undefined, hours: firstAdminHours },
      });
      return { url: `${publicUrl.replace(/\/$/, '')}${linkPath(token)}`, expiresAt };
    },
    async close() {
      clearInterval(upkeep);
      await database.close();
    },
  };
}

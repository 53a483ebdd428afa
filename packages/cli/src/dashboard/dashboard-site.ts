import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { AccountsSchemaError } from '@bemi-db/dashboard/server/accounts/accounts-schema';
import { cookieSecret } from '@bemi-db/dashboard/server/accounts/cookie-secret';
import { type Accounts, createAccounts } from '@bemi-db/dashboard/server/accounts/create-accounts';
import { createAuditReader } from '@bemi-db/dashboard/server/audit-reader';
import { createDashboard } from '@bemi-db/dashboard/server/create-dashboard';
import { requestListener } from '@bemi-db/dashboard/server/request-listener';
import type { RecordedState } from '@bemi-db/dashboard/server/sources/source-services';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { parseEncryptionKey } from '@bemi-db/worker/authenticity/sealed-key';
import type { Logger } from '@bemi-db/worker/logger';
import { bemiFolder, makeBemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { explainError } from '../output/explain-error.ts';
import type { Destination } from '../recording/configured-worker.ts';
import { version } from '../version.ts';
import { sourceServices } from './source-services.ts';
import { verifyInProcess } from './verify-process.ts';

export interface DashboardSiteOptions {
  readonly configuration: Configuration;
  readonly destination: Pick<Destination, 'url' | 'setWith'>;
  readonly logger: Logger;
  /** What this process records, where it does. */
  readonly recorded?: () => ReadonlyMap<string, RecordedState>;
  /** Told once, where nobody may sign in yet. The address is a secret. */
  readonly onFirstAdminLink: (url: string, expiresAt: Date) => void;
}

/** The dashboard, as a server serves it while its audit database may not be there yet. */
export interface DashboardSite {
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  /**
   * Opens it, and tries again until the audit database answers.
   *
   * @param origin - where this machine reaches it, for where BEMI_PUBLIC_URL is not set.
   */
  open(origin: string): Promise<void>;
  close(): Promise<void>;
}

const firstRetryMs = 1_000;
const longestRetryMs = 30_000;

/** Recording never waits for the dashboard, and never fails by it: until it is open, it says that it isn't. */
export function dashboardSite(options: DashboardSiteOptions): DashboardSite {
  const { configuration, destination, logger, recorded, onFirstAdminLink } = options;
  const { file } = configuration;
  const stop = new AbortController();
  let opened: { readonly listener: DashboardSite['listener']; close(): Promise<void> } | undefined;
  let problem = 'Bemi is starting';

  async function tryToOpen(publicUrl: string): Promise<void> {
    const { config } = parseConnectionString(destination.url, destination.setWith);
    const reader = createAuditReader(config);
    const onError = (error: unknown): void => {
      const { code, message, fix } = explainError(error);
      logger.error({ code, fix }, `The dashboard: ${message}`);
    };
    let accounts: Accounts;
    try {
      const folder = configuration.stateDirectory ?? makeBemiFolder(bemiFolder()).path;
      const { encryptionKey } = configuration;
      const secret = await cookieSecret(
        encryptionKey === undefined ? undefined : parseEncryptionKey(encryptionKey),
        folder,
      );
      const record = reader.record.bind(reader);
      const { accountsUrl, singleSignOn } = configuration;
      accounts = await createAccounts({
        database:
          accountsUrl === undefined ? config : parseConnectionString(accountsUrl, 'BEMI_ACCOUNTS_URL').config,
        ...{ secret, publicUrl, singleSignOn, record, onError },
      });
    } catch (error) {
      await reader.close();
      throw error;
    }
    const dashboard = createDashboard({
      ...{ reader, accounts, publicUrl: configuration.publicUrl, version: version(), onError },
      trustedProxies: configuration.trustedProxies,
      authenticate: accounts.authenticate,
      sources: sourceServices(configuration, recorded),
      verify: verifyInProcess(destination.url, file ? { BEMI_CONFIG: file.path } : {}),
    });
    opened = {
      listener: requestListener(dashboard),
      close: async () => {
        await accounts.close();
        await reader.close();
      },
    };
    const link = await accounts.firstAdminLink();
    if (link) onFirstAdminLink(link.url, link.expiresAt);
  }

  return {
    listener(request, response) {
      if (opened) return opened.listener(request, response);
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '5' });
      response.end(`${problem}\n`);
    },
    async open(origin) {
      const publicUrl = configuration.publicUrl ?? origin;
      let said: string | undefined;
      for (let waitMs = firstRetryMs; !stop.signal.aborted; waitMs = Math.min(2 * waitMs, longestRetryMs)) {
        try {
          await tryToOpen(publicUrl);
          if (stop.signal.aborted) await opened?.close();
          else logger.info({ url: publicUrl }, 'The dashboard is open');
          return;
        } catch (error) {
          const { code, message, fix } = explainError(error);
          problem = 'The dashboard is not open yet: the log of this process says why';
          if (message !== said) logger.warn({ code, fix }, `The dashboard can't be opened: ${message}`);
          said = message;
          // Nothing but a person cures that, who then starts it again.
          if (error instanceof AccountsSchemaError) return;
        }
        await delay(waitMs, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    },
    async close() {
      stop.abort();
      await opened?.close();
    },
  };
}

import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { AccountsOptions } from '../src/server/accounts/create-accounts.ts';
import { requestListener } from '../src/server/request-listener.ts';
import { type AccountsOfTest, accountsOfTest } from './accounts-of-test.ts';

export interface ServedAccounts extends AccountsOfTest {
  /** Of the pages, without a slash at the end. */
  readonly url: string;
}

/** Accounts and their pages, on a port of their own until the test ends. */
export async function serveAccounts(
  optionsAt: (url: string) => Partial<Omit<AccountsOptions, 'database'>> = () => ({}),
): Promise<ServedAccounts> {
  let listener: RequestListener = (_, response) => void response.end();
  const server = createServer((request, response) => listener(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  );
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const of = await accountsOfTest({ publicUrl: url, ...optionsAt(url) });
  listener = requestListener(of.dashboard);
  return { ...of, url };
}

import { type AccountsState, lookAtAccounts } from '@bemi-db/dashboard/server/accounts/look-at-accounts';
import { parseConnectionString } from '@bemi-db/source/connection-string';
import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import { connect } from '@bemi-db/worker/connections';
import type pg from 'pg';
import type { Configuration } from '../configuration/configuration.ts';
import { explained } from '../connecting/explained.ts';
import { explainError } from '../output/explain-error.ts';
import { countedText } from '../presentation/quantity-text.ts';

const id = 'accounts';
const setWith = 'BEMI_ACCOUNTS_URL';

/**
 * Whether somebody can administer the dashboard, where it has accounts.
 *
 * @param audit - where they are, unless BEMI_ACCOUNTS_URL says otherwise.
 */
export async function lookAndCheckAccounts(
  audit: pg.ClientBase,
  { accountsUrl }: Configuration,
): Promise<Finding> {
  if (accountsUrl === undefined) return checkAccounts(await lookAtAccounts(audit));
  try {
    const target = parseConnectionString(accountsUrl, setWith);
    const attempt = { database: 'audit', phase: 'inspect', target: target.target } as const;
    return await explained(attempt, async () => {
      const connection = await connect(target, 'command');
      try {
        return checkAccounts(await lookAtAccounts(connection.client));
      } finally {
        await connection.close();
      }
    });
  } catch (error) {
    const { code, message, fix } = explainError(error);
    return problem('warning', id, `The accounts of the dashboard: ${message}`, code, fix);
  }
}

function checkAccounts(found: AccountsState): Finding {
  switch (found.state) {
    case 'none':
      return ok(id, 'The dashboard has no accounts', 'nobody has used it with this audit database');
    case 'hidden':
      return unknown(
        id,
        'The accounts of the dashboard are not looked at',
        found.message,
        `Set ${setWith} as the dashboard has it (docs/dashboard-accounts.md)`,
      );
    case 'newer':
      return problem('warning', id, 'The accounts of the dashboard are newer', found.message, found.fix);
    case 'older':
      return problem(
        'warning',
        id,
        'The accounts of the dashboard are of an older version',
        `they lack ${found.lacks.join(', ')}`,
        'The dashboard brings them up to date when it starts: bemi start, or bemi dashboard',
      );
    case 'current':
      return checkAdmins(found);
  }
}

function checkAdmins({ people, admins }: { readonly people: number; readonly admins: number }): Finding {
  if (people === 0)
    return ok(
      id,
      'Nobody has an account of the dashboard yet',
      'the first link that it prints makes an admin',
    );
  const evidence = `${countedText(admins, 'admin')}, ${countedText(people, 'person', 'people')} in all`;
  if (admins > 0) return ok(id, 'Somebody can administer the dashboard', evidence);
  return problem(
    'warning',
    id,
    'Nobody can administer the dashboard',
    `${evidence}; those that are disabled do not count`,
    'For an address that has no account yet, print a link that makes one: bemi accounts link ADDRESS --role admin',
  );
}

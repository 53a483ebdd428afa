import type pg from 'pg';
import type { Person } from '../../api/account.ts';
import type { Role } from '../../api/permission.ts';
import type { AccountsDatabase } from './accounts-database.ts';
import { openAccounts } from './accounts-schema.ts';
import { linkPath, makeLink } from './one-time-link.ts';
import { listPeople } from './people.ts';

const hours = 24;

export interface WantedAccountLink {
  readonly email: string;
  /** What somebody who has no account yet may do; an account has its role already. */
  readonly role: Role | undefined;
  /** Where people reach the pages. */
  readonly publicUrl: string;
  /** Says that the link was made, before it is: where it can't be said, there is none. */
  readonly record: (subject: string, action: string) => Promise<void>;
}

export interface AccountLink {
  /** A secret. */
  readonly url: string;
  readonly expiresAt: Date;
  /** Whose password it sets anew; `undefined` for an invitation. */
  readonly person: Person | undefined;
}

/** Everybody who has an account, by name. */
export async function readAccounts(config: pg.ClientConfig): Promise<readonly Person[]> {
  return await withAccounts(config, listPeople);
}

/**
 * A one-time link by which somebody comes in who can't any more, made by whoever has the database: it sets a new password for
 * the account of this address, and takes the second factor away.
 *
 * @returns `undefined` where nobody has this address, and no role says what a new account may do.
 * @throws AccountsSchemaError
 */
export async function makeAccountLink(
  config: pg.ClientConfig,
  { email: asked, role, publicUrl, record }: WantedAccountLink,
): Promise<AccountLink | undefined> {
  const email = asked.toLowerCase();
  return await withAccounts(config, async (database) => {
    const person = (await listPeople(database)).find((each) => each.email === email);
    if (!person && role === undefined) return undefined;
    return await database.transaction(async (client) => {
      const { token, expiresAt, id } = await makeLink(client, {
        ...{ kind: person ? 'reset' : 'invitation', email, name: person?.name, personId: person?.id },
        ...{ role: person ? undefined : role, tables: undefined, createdBy: undefined, hours },
      });
      await record(person?.id ?? id, person ? 'reset-link-made' : `invited-${role}`);
      return { url: `${publicUrl.replace(/\/$/, '')}${linkPath(token)}`, expiresAt, person };
    });
  });
}

async function withAccounts<T>(
  config: pg.ClientConfig,
  work: (database: AccountsDatabase) => Promise<T>,
): Promise<T> {
  const database = await openAccounts(config);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

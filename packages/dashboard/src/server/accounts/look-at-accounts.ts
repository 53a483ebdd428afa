import type pg from 'pg';
import { AccountsSchemaError, isFirstMigration, pendingMigrations } from './accounts-schema.ts';

/** What there is of accounts, as somebody sees it who changes nothing. */
export type AccountsState =
  /** Nobody has used the dashboard. */
  | { readonly state: 'none' }
  /** The role may not see them, or they are of a newer version: `message` says so. */
  | { readonly state: 'hidden' | 'newer'; readonly message: string; readonly fix: string }
  | { readonly state: 'older'; readonly lacks: readonly string[] }
  /** Admins are those that are not disabled. */
  | { readonly state: 'current'; readonly people: number; readonly admins: number };

/** Looks at the accounts of a dashboard: whether their schema is of this version, and whether there is an admin. */
export async function lookAtAccounts(client: pg.ClientBase): Promise<AccountsState> {
  let pending: readonly string[];
  try {
    pending = await pendingMigrations(client);
  } catch (error) {
    if (!(error instanceof AccountsSchemaError)) throw error;
    const { reason, message, fix } = error;
    return { state: reason === 'newer' ? 'newer' : 'hidden', message, fix };
  }
  if (pending.some(isFirstMigration)) return { state: 'none' };
  if (pending.length > 0) return { state: 'older', lacks: pending };
  const { rows } = await client.query<{ people: number; admins: number }>(
    `SELECT count(*)::int AS people, (count(*) FILTER (WHERE role = 'admin' AND disabled_at IS NULL))::int AS admins
       FROM bemi_accounts.people`,
  );
  return { state: 'current', ...rows[0]! };
}

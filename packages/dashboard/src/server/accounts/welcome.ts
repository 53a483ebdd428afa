import type { Access, AccessPerson } from '@bemi-db/trail/access/access';
import type { Context } from 'hono';
import { ApiProblem } from '../api-problem.ts';
import { addressOf } from '../asker.ts';
import type { AccountServices } from './account-services.ts';

/** From where, with what. */
export function whence(c: Context): Pick<Access, 'via' | 'address' | 'userAgent'> {
  const address = addressOf(c);
  const userAgent = c.req.header('user-agent');
  return {
    via: 'dashboard',
    ...(address === undefined ? {} : { address }),
    ...(userAgent === undefined ? {} : { userAgent }),
  };
}

/**
 * Whoever has proven who they are comes in, if they may: an entry says so.
 *
 * @param token - of the session that was made.
 * @throws ApiProblem 403 for people without a role, and for those who are disabled. Their session is taken back.
 */
export async function welcome(
  c: Context,
  services: AccountServices,
  personId: string,
  token: string,
): Promise<void> {
  const { pool } = services.database;
  const { rows } = await pool.query<{ name: string; email: string; hasRole: boolean; isDisabled: boolean }>(
    `SELECT name, email, role IS NOT NULL AS "hasRole", disabled_at IS NOT NULL AS "isDisabled"
       FROM bemi_accounts.people WHERE id = $1`,
    [personId],
  );
  const person = rows[0];
  if (person?.hasRole && !person.isDisabled) {
    const { name, email } = person;
    await services.noteSignIn({ what: 'sign-in', by: { id: personId, name, email }, ...whence(c) });
    return;
  }
  await pool.query('DELETE FROM bemi_accounts.sessions WHERE token = $1', [token]);
  const action = person?.isDisabled ? 'disabled' : 'no-role';
  await services.noteSignIn({ what: 'sign-in-failed', by: { id: personId }, action, ...whence(c) });
  throw person?.isDisabled
    ? new ApiProblem(403, 'disabled', 'This account is disabled', 'Ask an admin.')
    : new ApiProblem(
        403,
        'no-role',
        'This account has no role yet',
        'Ask an admin for one, then sign in again.',
      );
}

/** Somebody was not let in. An address that is nobody's is not kept: it may be a password in the wrong field. */
export async function noteRefusal(
  c: Context,
  services: AccountServices,
  { email, action }: { readonly email: string | undefined; readonly action: string },
): Promise<void> {
  const { rows } = await services.database.pool.query<AccessPerson>(
    'SELECT id, email, name FROM bemi_accounts.people WHERE email = $1',
    [email ?? null],
  );
  const [by] = rows;
  await services.noteSignIn({ what: 'sign-in-failed', action, ...(by ? { by } : {}), ...whence(c) });
}

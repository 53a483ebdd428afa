import type { Role } from '../../api/permission.ts';
import type { Principal } from '../principal.ts';
import type { AccountServices } from './account-services.ts';

/** A session that nobody used for so long is over. */
const idleHours = 12;

/** A session that is good, and whose it is. */
export interface FoundSession {
  readonly id: string;
  readonly principal: Principal;
}

/**
 * Whose cookie this is. `undefined` for a forged, expired, idle or revoked one, and for people who are disabled or have no
 * role: each request asks the database, so that what an admin changes is so at once.
 */
export async function findSession(
  { auth, database: { pool } }: Pick<AccountServices, 'auth' | 'database'>,
  headers: Headers,
): Promise<FoundSession | undefined> {
  if (headers.get('cookie') === null) return undefined;
  const signed = await auth.api.getSession({ headers });
  if (!signed) return undefined;
  const { id } = signed.session;
  const { rows } = await pool.query<{
    personId: string;
    name: string;
    email: string;
    role: Role;
    tables: string[] | null;
    isLongUnseen: boolean;
  }>(
    `SELECT p.id AS "personId", p.name, p.email, p.role, p.tables, s.seen_at < now() - interval '1 minute' AS "isLongUnseen"
       FROM bemi_accounts.sessions s JOIN bemi_accounts.people p ON p.id = s.person_id
      WHERE s.id = $1 AND s.expires_at > now() AND s.seen_at > now() - make_interval(hours => $2)
        AND p.disabled_at IS NULL AND p.role IS NOT NULL`,
    [id, idleHours],
  );
  const [found] = rows;
  if (!found) return undefined;
  if (found.isLongUnseen)
    await pool.query('UPDATE bemi_accounts.sessions SET seen_at = now() WHERE id = $1', [id]);
  const { personId, name, email, role, tables } = found;
  return { id, principal: { kind: 'person', id: personId, name, email, role, tables: tables ?? undefined } };
}

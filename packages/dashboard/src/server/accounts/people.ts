import type pg from 'pg';
import type { ApiKey, Invitation, OwnAccount, Person, PersonChange } from '../../api/account.ts';
import { ApiProblem } from '../api-problem.ts';
import type { AccountsDatabase } from './accounts-database.ts';

/** ISO 8601 in UTC, as the API has every moment. */
const iso = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const selectPeople = `
  SELECT p.id, p.name, p.email, p.role, p.tables, p.disabled_at IS NOT NULL AS "isDisabled",
         EXISTS (SELECT FROM bemi_accounts.credentials c WHERE c.person_id = p.id AND provider_id = 'credential') AS "hasPassword",
         EXISTS (SELECT FROM bemi_accounts.credentials c WHERE c.person_id = p.id AND provider_id <> 'credential') AS "hasSingleSignOn",
         coalesce(p.two_factor_enabled, false) AS "hasSecondFactor", ${iso('p.created_at')} AS "createdAt",
         (SELECT ${iso('max(s.seen_at)')} FROM bemi_accounts.sessions s WHERE s.person_id = p.id) AS "lastSeenAt"
    FROM bemi_accounts.people p`;

export async function listPeople({ pool }: AccountsDatabase): Promise<Person[]> {
  return (await pool.query<Person>(`${selectPeople} ORDER BY p.name, p.email`)).rows;
}

/** @throws ApiProblem 404 */
export async function findPerson(client: pg.ClientBase | pg.Pool, id: string): Promise<Person> {
  const { rows } = await client.query<Person>(`${selectPeople} WHERE p.id = $1`, [id]);
  const [person] = rows;
  if (person) return person;
  throw new ApiProblem(404, 'unknown-person', 'There is no such person');
}

/**
 * Changes what somebody may do. It is so with their next request.
 *
 * @throws ApiProblem 409 where nobody would be left who may manage accounts.
 */
export async function changePerson(client: pg.ClientBase, id: string, change: PersonChange): Promise<void> {
  await lockAdmins(client);
  await findPerson(client, id);
  await client.query(
    `UPDATE bemi_accounts.people
        SET role = $2, tables = $3, updated_at = now(),
            disabled_at = CASE WHEN $4 THEN coalesce(disabled_at, now()) END
      WHERE id = $1`,
    [id, change.role, change.tables, change.isDisabled],
  );
  if (change.isDisabled) await endSessions(client, id);
  await keepAnAdmin(client);
}

/** @throws ApiProblem 409 for the last admin. */
export async function removePerson(client: pg.ClientBase, id: string): Promise<void> {
  await lockAdmins(client);
  await findPerson(client, id);
  await client.query('DELETE FROM bemi_accounts.people WHERE id = $1', [id]);
  await keepAnAdmin(client);
}

export async function endSessions(client: pg.ClientBase | pg.Pool, personId: string): Promise<void> {
  await client.query('DELETE FROM bemi_accounts.sessions WHERE person_id = $1', [personId]);
}

/** Two admins who take the role from each other at the same time come one after the other. */
async function lockAdmins(client: pg.ClientBase): Promise<void> {
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('bemi_accounts.admins'))`);
}

async function keepAnAdmin(client: pg.ClientBase): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM bemi_accounts.people WHERE role = 'admin' AND disabled_at IS NULL LIMIT 1`,
  );
  if (rowCount === 0)
    throw new ApiProblem(
      409,
      'last-admin',
      'There would be no admin left',
      'Make somebody else an admin first.',
    );
}

export async function readOwnAccount(
  { pool }: AccountsDatabase,
  id: string,
  thisSession: string | undefined,
): Promise<OwnAccount> {
  const { email, name, hasPassword, hasSecondFactor } = await findPerson(pool, id);
  const { rows } = await pool.query<OwnAccount['sessions'][number]>(
    `SELECT id, id IS NOT DISTINCT FROM $2 AS "isThis", ${iso('created_at')} AS "createdAt", ${iso('seen_at')} AS "seenAt",
            ip_address AS address, user_agent AS "userAgent"
       FROM bemi_accounts.sessions WHERE person_id = $1 AND expires_at > now() ORDER BY seen_at DESC`,
    [id, thisSession ?? null],
  );
  return { email, name, hasPassword, hasSecondFactor, sessions: rows };
}

/** Those that can still be used. */
export async function listInvitations({ pool }: AccountsDatabase): Promise<Invitation[]> {
  const { rows } = await pool.query<Invitation>(
    `SELECT id, email, name, role, tables, ${iso('created_at')} AS "createdAt", ${iso('expires_at')} AS "expiresAt"
       FROM bemi_accounts.links
      WHERE kind = 'invitation' AND used_at IS NULL AND expires_at > now() ORDER BY created_at DESC`,
  );
  return rows;
}

export async function listKeys({ pool }: AccountsDatabase): Promise<ApiKey[]> {
  const { rows } = await pool.query<ApiKey>(
    `SELECT id, name, role, tables, ${iso('created_at')} AS "createdAt", created_by AS "createdBy",
            ${iso('expires_at')} AS "expiresAt", ${iso('last_used_at')} AS "lastUsedAt", ${iso('revoked_at')} AS "revokedAt"
       FROM bemi_accounts.api_keys ORDER BY revoked_at IS NOT NULL, created_at DESC`,
  );
  return rows;
}

import { createHash, randomBytes } from 'node:crypto';
import type pg from 'pg';
import type { Role } from '../../api/permission.ts';

export type LinkKind = 'first-admin' | 'invitation' | 'reset';

/** What a link is for. */
export interface Link {
  readonly id: string;
  readonly kind: LinkKind;
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly role: Role | undefined;
  readonly tables: readonly string[] | undefined;
  /** Whose password it sets anew. */
  readonly personId: string | undefined;
}

export interface MadeLink {
  readonly id: string;
  /** Shown once; the database has its hash. */
  readonly token: string;
  readonly expiresAt: Date;
}

type WantedLink = Omit<Link, 'id'> & { readonly createdBy: string | undefined; readonly hours: number };

/** Behind `#`, a browser keeps it to itself: it is in no request, no log and no `Referer`. */
export function linkPath(token: string): string {
  return `/join#${token}`;
}

export async function makeLink(client: pg.ClientBase | pg.Pool, wanted: WantedLink): Promise<MadeLink> {
  const { kind, email, name, role, tables, personId, createdBy, hours } = wanted;
  const id = randomBytes(9).toString('base64url');
  const token = randomBytes(32).toString('base64url');
  const { rows } = await client.query<{ expiresAt: Date }>(
    `INSERT INTO bemi_accounts.links (id, kind, token_hash, email, name, role, tables, person_id, created_by, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, now() + make_interval(hours => $10)) RETURNING expires_at AS "expiresAt"`,
    [id, kind, hashOf(token), email, name, role, tables, personId, createdBy, hours],
  );
  return { id, token, expiresAt: rows[0]!.expiresAt };
}

/** What may be done by this link now; `undefined` for one that is unknown, used, expired, or of an admin that exists. */
export async function findLink(client: pg.ClientBase | pg.Pool, token: string): Promise<Link | undefined> {
  const { rows } = await client.query<LinkRow>(`${selectLink}`, [hashOf(token)]);
  return rows[0] && linkOf(rows[0]);
}

/** Like {@link findLink}, and whoever comes after, or at the same time, finds it used. In a transaction. */
export async function useLink(client: pg.ClientBase, token: string): Promise<Link | undefined> {
  // There is one first admin, by however many links.
  await client.query(`SELECT pg_advisory_xact_lock(hashtext('bemi_accounts.links'))`);
  const link = await findLink(client, token);
  if (link) await client.query('UPDATE bemi_accounts.links SET used_at = now() WHERE id = $1', [link.id]);
  return link;
}

type LinkRow = {
  readonly [K in keyof Link]: Exclude<Link[K], undefined> | (undefined extends Link[K] ? null : never);
};

const selectLink = `
  SELECT id, kind, email, name, role, tables, person_id AS "personId"
    FROM bemi_accounts.links
   WHERE token_hash = $1 AND used_at IS NULL AND expires_at > now()
     AND (kind <> 'first-admin' OR NOT EXISTS (SELECT FROM bemi_accounts.people WHERE role = 'admin'))`;

function linkOf({ id, kind, email, name, role, tables, personId }: LinkRow): Link {
  return {
    ...{ id, kind },
    ...{ email: email ?? undefined, name: name ?? undefined, role: role ?? undefined },
    ...{ tables: tables ?? undefined, personId: personId ?? undefined },
  };
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Role } from '../../api/permission.ts';
import type { Principal } from '../principal.ts';
import type { AccountsDatabase } from './accounts-database.ts';

const prefix = 'bemi_ak_';
/** 9 random bytes that say which key it is, and 32 that are the secret, in base64url. */
const form = /^bemi_ak_([A-Za-z0-9_-]{12})[A-Za-z0-9_-]{43}$/;

export interface MadeKey {
  readonly id: string;
  /** Shown once, and stored nowhere. */
  readonly key: string;
  readonly hash: Buffer;
}

export function makeKey(): MadeKey {
  const id = randomBytes(9).toString('base64url');
  const key = `${prefix}${id}${randomBytes(32).toString('base64url')}`;
  return { id, key, hash: hashOf(key) };
}

/** Whoever has this key. `undefined` for one that is not in its form, unknown, expired or revoked. */
export async function principalOfKey(
  { pool }: AccountsDatabase,
  key: string,
): Promise<Principal | undefined> {
  const id = form.exec(key)?.[1];
  if (id === undefined) return undefined;
  const { rows } = await pool.query<{
    hash: Buffer;
    name: string;
    role: Role;
    tables: string[] | null;
    isLongUnused: boolean;
  }>(
    `SELECT key_hash AS hash, name, role, tables,
            coalesce(last_used_at < now() - interval '1 minute', true) AS "isLongUnused"
       FROM bemi_accounts.api_keys
      WHERE id = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    [id],
  );
  const [found] = rows;
  if (!found || !timingSafeEqual(found.hash, hashOf(key))) return undefined;
  if (found.isLongUnused)
    await pool.query('UPDATE bemi_accounts.api_keys SET last_used_at = now() WHERE id = $1', [id]);
  const { name, role, tables } = found;
  return { kind: 'api-key', id, name, email: undefined, role, tables: tables ?? undefined };
}

/** A fast hash is right: there are 256 random bits to guess, not a password. */
function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}

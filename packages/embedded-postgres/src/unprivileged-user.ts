import { readFileSync } from 'node:fs';

/** The numeric identity that a server process runs under. */
export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. As root this names the account that takes its place: `postgres` where
 * the machine has one, else `nobody`. Otherwise `undefined`: the server runs as whoever started us.
 *
 * @throws Error when root has neither account to hand over to.
 */
export function unprivilegedUser(passwd = readPasswd(), ownUid = process.getuid?.()): UserIds | undefined {
  if (ownUid !== 0) return undefined;
  const accounts = new Map<string, UserIds>();
  for (const line of passwd.split('\n')) {
    const [name, , uid, gid] = line.split(':');
    if (name && uid && gid) accounts.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  const account = accounts.get('postgres') ?? accounts.get('nobody');
  if (!account) {
    throw new Error(
      'PostgreSQL does not run as root, and this machine has no account "postgres" or "nobody"',
    );
  }
  return account;
}

function readPasswd(): string {
  try {
    return readFileSync('/etc/passwd', 'utf8');
  } catch {
    return ''; // Windows; there getuid is undefined too
  }
}

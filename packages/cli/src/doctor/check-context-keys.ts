import { type Finding, ok, problem } from '@bemi-db/source/finding';
import type { ContextKey } from '@bemi-db/trail/context-keys';

/** Whether contexts of applications that have a key can be told authentic. */
export function checkContextKeys(keys: readonly ContextKey[], hasEncryptionKey: boolean): Finding {
  const id = 'context-keys';
  const valid = keys.filter(({ revokedAt }) => revokedAt === undefined);
  if (valid.length === 0)
    return ok(id, 'No application signs its contexts', 'not needed: bemi keys create makes a key');
  const names = valid.map(({ id: key, name }) => name ?? key).join(', ');
  if (hasEncryptionKey) return ok(id, 'Contexts are told authentic', `keys: ${names}`);
  return problem(
    'warning',
    id,
    'Signed contexts are recorded as unsigned',
    `BEMI_ENCRYPTION_KEY is not set here; keys: ${names}`,
    'Set BEMI_ENCRYPTION_KEY for the worker to the key that they were made with, and restart it. Where it is lost: make one ' +
      '(openssl rand -base64 32), and new keys (bemi keys create).',
  );
}

import { type ConnectionTarget, parseConnectionString } from '@bemi-db/source/connection-string';
import type { Configuration } from '../configuration/configuration.ts';
import { isSameDatabase } from '../setup/worker-url.ts';

/** Whom the worker connects to this database as, where that is another role than the one that is connected here. */
export function workerRoleName({ databaseUrl }: Configuration, admin: ConnectionTarget): string | undefined {
  if (databaseUrl === undefined) return undefined;
  const { target } = parseConnectionString(databaseUrl, 'BEMI_DATABASE_URL');
  return isSameDatabase(target, admin) && target.role !== admin.role ? target.role : undefined;
}

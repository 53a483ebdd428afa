import { checkIdentity } from './check-identity.ts';
import { checkPublication } from './check-publication.ts';
import { checkRole } from './check-role.ts';
import { checkServer, checkVersion } from './check-server.ts';
import { checkSlot } from './check-slot.ts';
import type { Finding } from './finding.ts';
import { oldestVersion, type SourceSnapshot, type Wanted } from './source-snapshot.ts';

/**
 * Everything on the source that stops the worker, loses changes, or makes the application's writes fail, in
 * the order in which it is cured. Good findings are included.
 *
 * @param snapshot - taken with the names in `wanted`, its role included.
 */
export function check(snapshot: SourceSnapshot, wanted: Wanted): readonly Finding[] {
  // Of an older server nothing but its version is known.
  if (snapshot.server.version < oldestVersion) return [checkVersion(snapshot)];
  return [
    ...checkServer(snapshot),
    ...checkRole(snapshot, wanted),
    ...checkPublication(snapshot, wanted),
    ...checkIdentity(snapshot),
    ...checkSlot(snapshot, wanted),
  ];
}

import { checkCapacity } from './check-capacity.ts';
import { checkLag, type LagLimits } from './check-lag.ts';
import { checkPrivileges } from './check-privileges.ts';
import { checkSlotLimit } from './check-slot-limit.ts';
import type { Finding } from './finding.ts';
import type { OperationSnapshot } from './inspect-operation.ts';
import type { SourceSnapshot } from './source-snapshot.ts';

/**
 * What can go wrong later, or is more than is needed. None of it keeps the worker from recording now: that is what `check` is
 * about. Good findings are included.
 *
 * @param target - where the source is, and what says so.
 */
export function checkOperation(
  snapshot: SourceSnapshot,
  operation: OperationSnapshot,
  limits: LagLimits,
  target: Parameters<typeof checkPrivileges>[2],
): readonly Finding[] {
  return [
    ...checkCapacity(snapshot),
    checkPrivileges(snapshot.role.name, operation.excess, target),
    ...checkLag(snapshot, limits),
    ...checkSlotLimit(snapshot, operation, limits.retainedWalBytes),
  ];
}

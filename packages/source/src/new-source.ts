import { type Finding, ok, problem } from './finding.ts';
import { hasWorkingIdentity } from './identity.ts';
import { plan } from './plan.ts';
import { PlanError, type PlanStep } from './plan-step.ts';
import { mayReplicate, type SourceSnapshot, type Wanted } from './source-snapshot.ts';
import { displayTable } from './table-name.ts';

/**
 * What a worker makes by itself at a source of which nothing is recorded yet: publication and slot and, before them, an
 * identity for tables that could not be updated any more once they are published. Pure.
 *
 * @throws PlanError
 */
export function workerSteps(snapshot: SourceSnapshot, wanted: Wanted): readonly PlanStep[] {
  const urgent = new Set(
    snapshot.tables
      .filter((table) => !hasWorkingIdentity(table))
      .map((table) => `identity ${displayTable(table)}`),
  );
  return plan(snapshot, wanted).filter((step) => {
    if (step.kind === 'slot') return true;
    // A publication that exists is its owner's business; the worker's role may not even be able to change it.
    if (snapshot.publication !== undefined || step.kind === 'role') return false;
    return step.kind !== 'identity' || urgent.has(step.id);
  });
}

/**
 * The findings as they are for a source that is about to be recorded for the first time. What the worker will make by itself
 * is no failure, and a slot that somebody reads already is one. Pure.
 */
export function asOfNewSource(
  findings: readonly Finding[],
  snapshot: SourceSnapshot,
  wanted: Wanted,
): readonly Finding[] {
  const { role, publication, slot } = snapshot;
  // Of all tables, present and future, only a superuser may make a publication.
  const mayMake = publication ? mayReplicate(role) : role.isSuperuser;
  const isPlanned = mayMake && isPlannable(snapshot, wanted);
  return findings.flatMap((finding) => {
    const { id, verdict } = finding;
    if (id === 'worker') {
      if (slot?.activePid === undefined) return [];
      return [
        problem(
          'failure',
          'worker',
          `Somebody reads ${wanted.slot} already`,
          finding.evidence,
          'A slot has one reader: choose another name for this source’s slot.',
        ),
      ];
    }
    const isMissing =
      verdict === 'failure' && ((id === 'slot' && !slot) || (id === 'publication' && !publication));
    if (isMissing && isPlanned) {
      const what = id === 'slot' ? `replication slot ${wanted.slot}` : `publication ${wanted.publication}`;
      return [ok(id, `The ${what} will be made by the worker`, `${role.name} may make it`)];
    }
    return [finding];
  });
}

function isPlannable(snapshot: SourceSnapshot, wanted: Wanted): boolean {
  try {
    return workerSteps(snapshot, wanted).length > 0;
  } catch (error) {
    if (error instanceof PlanError) return false;
    throw error;
  }
}

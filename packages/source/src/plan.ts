import { planIdentities, refuseUnidentifiable } from './plan-identity.ts';
import { planGeneratedColumns, planPublication } from './plan-publication.ts';
import { planRole } from './plan-role.ts';
import type { PlanStep } from './plan-step.ts';
import { slotCreation } from './slot-creation.ts';
import type { SourceSnapshot, Wanted } from './source-snapshot.ts';
import { selectedTables, wantedTables } from './wanted-tables.ts';

/**
 * What is missing until a source is as wanted, in the order in which it must be done; nothing once it is.
 * Server settings (`wal_level`) are not in it: no statement changes them without a restart. See `check`.
 *
 * @param snapshot - taken with the names in `wanted`, its role included.
 * @throws {@link PlanError} for what can't be done without harm: unknown or unlogged tables, tables whose
 * UPDATEs would fail.
 *
 * @example
 * const wanted = { slot: 'bemi_slot', publication: 'bemi_publication', tables: 'all' } as const;
 * for (const step of plan(await inspect(client, wanted), wanted)) console.log(printableSql(step));
 */
export function plan(snapshot: SourceSnapshot, wanted: Wanted): readonly PlanStep[] {
  const selected = selectedTables(snapshot, wanted);
  const tables = wantedTables(snapshot, wanted);
  refuseUnidentifiable(snapshot, tables);
  return [
    ...planGeneratedColumns(snapshot, tables),
    // Identity before publication: from the moment that a table without a primary key is published until it
    // has an identity, the server refuses the application's UPDATE and DELETE.
    ...planIdentities(snapshot, tables, wanted.identity),
    ...(wanted.role ? planRole(snapshot, wanted.role, selected) : []),
    ...planPublication(snapshot, wanted, selected),
    // Publication before slot: a slot decodes each change with the catalog of that change's moment. What is
    // written after the slot and before the publication can never be decoded: PostgreSQL 17 and older stop
    // there with "publication does not exist", for ever; 18 leaves it out without a word.
    ...planSlot(snapshot, wanted),
  ];
}

function planSlot(snapshot: SourceSnapshot, wanted: Wanted): readonly PlanStep[] {
  // One that exists is never replaced here, whatever its state: dropping it loses what it still holds.
  if (snapshot.slot) return [];
  return [
    {
      id: 'slot create',
      kind: 'slot',
      title: `Make the replication slot ${wanted.slot}`,
      sql: slotCreation(wanted.slot, snapshot.server),
      why:
        'From here on the server keeps its WAL until the worker has recorded it. It waits for the transactions ' +
        'that are running now; they are not disturbed.',
      ...(snapshot.publication ? {} : { needs: ['publication create'] }),
    },
  ];
}

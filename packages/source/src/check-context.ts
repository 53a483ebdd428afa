import pg from 'pg';
import { type TriggerKind, triggerNames, triggerSchema } from './context-triggers.ts';
import { type Finding, ok, problem } from './finding.ts';
import type { ContextSnapshot } from './inspect-context.ts';
import type { SourceSnapshot, TableSnapshot } from './source-snapshot.ts';
import { displayTables, quoteTable } from './table-name.ts';

/** Whether applications can say who they are, and which triggers help those that can't. Good findings are included. */
export function checkContext(snapshot: SourceSnapshot, context: ContextSnapshot): readonly Finding[] {
  return [
    checkEmission(context),
    ...checkTriggers('context', snapshot, context),
    ...checkTriggers('actor', snapshot, context),
    ...checkRowTriggers(context),
  ];
}

function checkEmission({ emitFunction, mayEveryoneEmit, rolesThatMayNotEmit }: ContextSnapshot): Finding {
  const id = 'emit-message';
  if (mayEveryoneEmit) {
    return ok(id, 'Every role may send its context', `EXECUTE on ${emitFunction} is granted to PUBLIC`);
  }
  const evidence = `EXECUTE on ${emitFunction} was revoked from PUBLIC`;
  if (rolesThatMayNotEmit.length === 0)
    return ok(id, 'Every role that writes may send its context', evidence);
  return problem(
    'warning',
    id,
    'Some roles that write may not send their context',
    `${evidence}; without it: ${rolesThatMayNotEmit.join(', ')}`,
    'What they write is recorded without context, unless a trigger sends it. Run as a superuser:',
    rolesThatMayNotEmit.map(
      (role) => `GRANT EXECUTE ON FUNCTION ${emitFunction} TO ${pg.escapeIdentifier(role)};`,
    ),
  );
}

const texts = {
  context: {
    none: 'No triggers for clients that can’t be wrapped',
    all: 'Clients that can’t be wrapped are helped by triggers',
    what: 'the setting bemi.context',
    create: 'not needed but for such clients: bemi migration:create makes them',
  },
  actor: {
    none: 'No triggers that report the database user of direct SQL',
    all: 'The database user of direct SQL is reported',
    what: 'the database user',
    create: 'off unless asked for: bemi migration:create --actor turns it on',
  },
} as const;

function checkTriggers(
  kind: TriggerKind,
  snapshot: SourceSnapshot,
  { functions, triggers, emitFunction }: ContextSnapshot,
): readonly Finding[] {
  const id = `${kind}-triggers`;
  const { none, all, what, create } = texts[kind];
  const carrier = functions.find((each) => each.kind === kind);
  const own = triggers.filter((trigger) => trigger.kind === kind);
  if (!carrier || own.length === 0) return [ok(id, none, create)];
  if (!carrier.mayOwnerEmit) {
    return [
      problem(
        'warning',
        id,
        `The triggers may not send ${what}`,
        `their function belongs to ${carrier.owner}, who has no EXECUTE on ${emitFunction}`,
        'No write fails for that, and nothing is sent. Run as a superuser:',
        // The owner's name comes quoted, as the catalog's regrole prints it.
        [`GRANT EXECUTE ON FUNCTION ${emitFunction} TO ${carrier.owner};`],
      ),
    ];
  }
  const withTrigger = new Set(own.map(({ table }) => table));
  const disabled = snapshot.tables.filter((table) =>
    own.some((trigger) => trigger.table === table.oid && !trigger.isEnabled),
  );
  if (disabled.length > 0) {
    return [
      problem(
        'warning',
        id,
        `Some triggers that send ${what} are disabled`,
        displayTables(disabled),
        'Run as the owner of the tables:',
        disabled.map((table) => `ALTER TABLE ${quoteTable(table)} ENABLE TRIGGER ${triggerNames[kind]};`),
      ),
    ];
  }
  const recorded = snapshot.tables.filter((table) => isWrittenTo(table, snapshot));
  const lacking = recorded.filter((table) => !isCovered(table, withTrigger, snapshot));
  const count = `on ${recorded.length - lacking.length} of ${recorded.length} tables`;
  if (lacking.length === 0) return [ok(id, all, count)];
  // Who named some tables left the others out; tables that are younger than all with a trigger were forgotten.
  const youngest = own.reduce((max, { table }) => (BigInt(table) > max ? BigInt(table) : max), 0n);
  const later = lacking.filter(({ oid }) => BigInt(oid) > youngest);
  if (later.length < lacking.length) return [ok(id, all, `${count}, not on ${displayTables(lacking)}`)];
  return [
    problem(
      'warning',
      id,
      `Tables that were made later have no trigger that sends ${what}`,
      displayTables(lacking),
      'Run as their owner:',
      [`SELECT ${triggerSchema}.attach();`],
    ),
  ];
}

/** A table of the application whose rows are recorded, or whose partitions' are. */
function isWrittenTo(table: TableSnapshot, { schemas }: SourceSnapshot): boolean {
  return (
    table.persistence === 'permanent' &&
    table.extension === undefined &&
    schemas.includes(table.schema) &&
    (table.isPublished || table.kind === 'partitioned')
  );
}

/** A statement fires the triggers of the table that it names: partitions are seldom that table. */
function isCovered(
  table: TableSnapshot,
  withTrigger: ReadonlySet<string>,
  snapshot: SourceSnapshot,
): boolean {
  if (withTrigger.has(table.oid)) return true;
  return snapshot.tables.some(
    (parent) =>
      parent.kind === 'partitioned' &&
      table.parents.includes(parent.oid) &&
      isCovered(parent, withTrigger, snapshot),
  );
}

function checkRowTriggers({ tablesWithRowTrigger }: ContextSnapshot): readonly Finding[] {
  if (tablesWithRowTrigger.length === 0) return [];
  return [
    ok(
      'row-triggers',
      'Row triggers of Bemi’s published clients send comments',
      `on ${tablesWithRowTrigger.length} tables; they work, at the cost of a message a row: docs/context/triggers.md`,
    ),
  ];
}

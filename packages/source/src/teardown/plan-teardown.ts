import pg from 'pg';
import { triggersDown } from '../context-triggers.ts';
import { planDdlRemoval } from '../ddl/plan-ddl.ts';
import { PlanError, type PlanStep } from '../plan-step.ts';
import { planIdentitiesReset } from '../plan-tables.ts';
import type { SourceSnapshot, Wanted } from '../source-snapshot.ts';
import { quoteTable, type TableName } from '../table-name.ts';
import type { RoleUse, TeardownSnapshot } from './inspect-teardown.ts';

export interface TeardownOptions {
  /** The slot keeps WAL for as long as it exists. */
  readonly keepsSlot: boolean;
  readonly keepsIdentities: boolean;
}

/**
 * Everything that takes Bemi away from a source again, in the order in which nothing of the application fails; nothing where
 * nothing is left. The slot is last: until then, recording could go on.
 *
 * @throws {@link PlanError} while a worker reads the slot.
 */
export function planTeardown(
  snapshot: SourceSnapshot,
  wanted: Pick<Wanted, 'slot' | 'publication'>,
  found: TeardownSnapshot,
  { keepsSlot, keepsIdentities }: TeardownOptions,
): readonly PlanStep[] {
  const { slot, publication } = snapshot;
  if (slot?.activePid !== undefined) throw workerActive(wanted.slot, slot.activePid);
  const sent = snapshot.tables.filter((table) => table.isPublished || table.isListed);
  const partitioned = snapshot.tables.filter((table) => table.kind === 'partitioned');
  const tables = publication?.isForAllTables ? [...new Set([...sent, ...partitioned])] : sent;
  const isElsewhere = (table: TableName) => found.publishedElsewhere.has(quoteTable(table));
  return [
    ...planDdlRemoval(found.ddl),
    ...planGuideRemoval(found.guide),
    ...planContextRemoval(found.context),
    ...(publication ? [publicationDrop(publication.name)] : []),
    ...(keepsIdentities ? [] : planIdentitiesReset(tables, isElsewhere, ['publication drop'])),
    ...(found.role && isOurs(found.role) ? planRoleRemoval(snapshot, found.role) : []),
    ...(slot && !keepsSlot ? [slotDrop(slot.name)] : []),
  ];
}

function workerActive(slot: string, pid: number): PlanError {
  return new PlanError(
    'worker-active',
    `A worker reads the slot ${slot} (backend ${pid})`,
    'Stop it first, for good: bemi teardown does not disturb one that records. See who it is by\n' +
      `SELECT application_name, client_addr FROM pg_stat_activity WHERE pid = ${pid};`,
  );
}

function publicationDrop(name: string): PlanStep {
  return {
    id: 'publication drop',
    kind: 'publication',
    title: `Drop the publication ${name}`,
    sql: `DROP PUBLICATION ${pg.escapeIdentifier(name)};`,
    why: 'From here on nothing is recorded any more. Tables without a primary key can be updated whatever their identity.',
  };
}

function slotDrop(name: string): PlanStep {
  return {
    id: 'slot drop',
    kind: 'slot',
    title: `Drop the replication slot ${name}`,
    sql: `SELECT pg_drop_replication_slot(${pg.escapeLiteral(name).trimStart()});`,
    why: 'The server then no longer keeps WAL for it. What it has not sent is never recorded.',
  };
}

function planGuideRemoval(guide: TeardownSnapshot['guide']): readonly PlanStep[] {
  const statements = [
    guide.trigger ? 'DROP EVENT TRIGGER _bemi_set_replica_identity_trigger;' : undefined,
    guide.function ? 'DROP FUNCTION public._bemi_set_replica_identity_func();' : undefined,
    guide.procedure ? 'DROP PROCEDURE public._bemi_set_replica_identity();' : undefined,
  ].filter((statement) => statement !== undefined);
  if (statements.length === 0) return [];
  return [
    {
      id: 'guide trigger drop',
      kind: 'ddl',
      isDispensable: true,
      title: 'Drop the event trigger of the set-up guide',
      sql: statements.join('\n'),
      why: 'It sets REPLICA IDENTITY FULL on every table in public.',
    },
  ];
}

function planContextRemoval(context: TeardownSnapshot['context']): readonly PlanStep[] {
  if (context.functions.length === 0) return [];
  return [
    {
      id: 'context triggers drop',
      kind: 'ddl',
      isDispensable: true,
      title: 'Drop the triggers that send context, and their functions',
      sql: triggersDown({ kinds: ['context', 'actor'] }),
      why: 'What bemi migration:create made.',
    },
  ];
}

/** Whether a role is the worker's alone: what the application has as well is not taken from it. */
export function isOurs({ owned, others }: RoleUse): boolean {
  return owned === 0 && others.length === 0;
}

/** Only what was granted: nothing is dropped but the role itself. */
function planRoleRemoval(snapshot: SourceSnapshot, use: RoleUse): readonly PlanStep[] {
  const role = pg.escapeIdentifier(use.name);
  const step = (id: string, title: string, sql: string): PlanStep => ({
    id: `role ${id}`,
    kind: 'role',
    title,
    sql,
    why: 'A role that still has a privilege can not be dropped.',
  });
  const schema = (name: string) => pg.escapeIdentifier(name);
  return [
    ...use.defaults.map((given) =>
      step(
        `defaults ${given.owner} ${given.schema ?? ''}`,
        `No longer let ${use.name} read tables that ${given.owner} makes later${given.schema === null ? '' : ` in ${given.schema}`}`,
        `ALTER DEFAULT PRIVILEGES FOR ROLE ${pg.escapeIdentifier(given.owner)}` +
          `${given.schema === null ? '' : ` IN SCHEMA ${schema(given.schema)}`} REVOKE ALL ON TABLES FROM ${role};`,
      ),
    ),
    ...use.tableSchemas.map((name) =>
      step(
        `tables ${name}`,
        `No longer let ${use.name} read the tables of ${name}`,
        `REVOKE ALL ON ALL TABLES IN SCHEMA ${schema(name)} FROM ${role};`,
      ),
    ),
    ...use.schemas
      // It goes with the functions of the event triggers.
      .filter((name) => name !== 'bemi_ddl' && name !== 'bemi_context')
      .map((name) =>
        step(
          `schema ${name}`,
          `No longer let ${use.name} use schema ${name}`,
          `REVOKE ALL ON SCHEMA ${schema(name)} FROM ${role};`,
        ),
      ),
    ...(use.onDatabase
      ? [
          step(
            'database',
            `No longer let ${use.name} connect by a privilege of its own`,
            `REVOKE ALL ON DATABASE ${pg.escapeIdentifier(snapshot.server.database)} FROM ${role};`,
          ),
        ]
      : []),
    ...(use.otherDatabases.length > 0
      ? []
      : [
          {
            ...step('drop', `Drop the role ${use.name}`, `DROP ROLE ${role};`),
            why: 'Nothing else hangs on it, in no database.',
          },
        ]),
  ];
}

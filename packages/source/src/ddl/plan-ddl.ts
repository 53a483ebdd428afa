import type { PlanStep } from '../plan-step.ts';
import type { DdlFunctionOptions } from './ddl-functions.ts';
import {
  ddlFunctionsSql,
  dropDdlFunctionsSql,
  dropEventTriggersSql,
  eventTriggersSql,
} from './ddl-triggers.ts';
import { oldestMessageVersion } from './ddl-version.ts';
import { type DdlSnapshot, functionsInstalled, triggersInstalled } from './inspect-ddl.ts';

/**
 * What is missing until DDL is recorded and new tables have an identity; nothing once it is. Two steps: functions, then
 * event triggers. The second is refused (42501) where only a superuser may make event triggers and the role is none: the first
 * is of use all the same, by {@link withoutEventTriggers}. Both may come anywhere in a plan.
 *
 * @example
 * const steps = planDdl(await inspectDdl(client), { identity: 'full' });
 */
export function planDdl(snapshot: DdlSnapshot, options: DdlFunctionOptions = {}): readonly PlanStep[] {
  const { version } = snapshot;
  const hasMessages = version >= oldestMessageVersion;
  const steps: PlanStep[] = [];
  if (functionsInstalled(snapshot, options) !== 'current') {
    steps.push({
      id: 'ddl functions',
      kind: 'ddl',
      isDispensable: true,
      title: 'Make the functions of the event triggers',
      sql: ddlFunctionsSql(version, options),
      why: 'They are in a schema of their own, bemi_ddl. An error in them becomes a warning: no statement fails for it.',
    });
  }
  if (triggersInstalled(snapshot) !== 'current') {
    steps.push({
      id: 'ddl triggers',
      kind: 'ddl',
      isDispensable: true,
      title: hasMessages ? 'Record CREATE, ALTER and DROP of tables' : 'Keep the whole old row of new tables',
      sql: eventTriggersSql(version),
      why: hasMessages
        ? 'Dropping, detaching or rewriting a table changes data, and the write-ahead log says nothing of it by itself. A new ' +
          'table gets its replica identity with the statement that makes it.'
        : 'A new table gets its replica identity with the statement that makes it. DDL is recorded from PostgreSQL 14 on.',
    });
  }
  return steps;
}

/** Takes away what {@link planDdl} made; nothing where there is nothing. */
export function planDdlRemoval(snapshot: DdlSnapshot): readonly PlanStep[] {
  const steps: PlanStep[] = [];
  if (snapshot.triggers.length > 0) {
    steps.push({
      id: 'ddl triggers drop',
      kind: 'ddl',
      isDispensable: true,
      title: 'Drop the event triggers',
      sql: dropEventTriggersSql,
      why: 'From here on no DDL is recorded, and new tables keep the identity that PostgreSQL gives them.',
    });
  }
  if (snapshot.functions.length > 0) {
    steps.push({
      id: 'ddl functions drop',
      kind: 'ddl',
      isDispensable: true,
      title: 'Drop their functions and the schema bemi_ddl',
      sql: dropDdlFunctionsSql,
      why: 'Nothing else uses them.',
    });
  }
  return steps;
}

/** For where the server refuses the event triggers: what to say, and what a migration calls in their place. */
export const withoutEventTriggers = {
  title: 'Event triggers are not allowed to this role',
  explanation:
    'DDL is then not recorded by itself, and new tables keep the identity that PostgreSQL gives them. The worker sees at its ' +
    'next look (every 5 minutes) what became of the tables, and says in the log what is no longer recorded.',
  /** After each migration, as the role that owns the tables. */
  afterMigration: 'SELECT bemi_ddl.record_tables();',
  /** Or for the tables that a migration has made or altered, in its own transaction. */
  forTables: `SELECT bemi_ddl.record_tables('public.patient', 'public.visit');`,
  /** Once, where migrations run as another role than the one that made the functions. */
  grants: (role: string): readonly string[] => [
    `GRANT USAGE ON SCHEMA bemi_ddl TO ${role};`,
    `GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA bemi_ddl TO ${role};`,
  ],
} as const;

import type pg from 'pg';
import { emitTextOid, type TriggerKind, triggerNames, triggerSchema } from './context-triggers.ts';
import { readRows } from './read-rows.ts';

/** What of a source database has to do with contexts, at one moment. Plain data, as `SourceSnapshot`. */
export interface ContextSnapshot {
  /** The function that sends messages, with the types of its parameters. */
  readonly emitFunction: string;
  /** Whether every role may send a message. */
  readonly mayEveryoneEmit: boolean;
  /** Where not: roles that log in, write to some table, and may not. A few of them. */
  readonly rolesThatMayNotEmit: readonly string[];
  /** The functions of the statement triggers that are there. */
  readonly functions: readonly TriggerFunction[];
  readonly triggers: readonly ContextTrigger[];
  /** Oids of the tables that have a row trigger of Bemi's published clients. */
  readonly tablesWithRowTrigger: readonly string[];
}

export interface TriggerFunction {
  readonly kind: TriggerKind;
  readonly owner: string;
  readonly mayOwnerEmit: boolean;
}

export interface ContextTrigger {
  readonly kind: TriggerKind;
  /** Oid of its table. */
  readonly table: string;
  /** Whether it fires for an ordinary session. */
  readonly isEnabled: boolean;
}

/** Reads catalogs only, as any role. On PostgreSQL 12 and later. */
export async function inspectContext(client: pg.ClientBase): Promise<ContextSnapshot> {
  const [emit] = await readRows<EmitRow>(client, emitQuery);
  if (!emit) throw new Error('pg_proc does not show pg_logical_emit_message');
  return {
    emitFunction: emit.name,
    mayEveryoneEmit: emit.is_public,
    rolesThatMayNotEmit: emit.roles,
    functions: (await readRows<FunctionRow>(client, functionsQuery)).map((row) => ({
      kind: row.kind,
      owner: row.owner,
      mayOwnerEmit: row.may_emit,
    })),
    triggers: (await readRows<TriggerRow>(client, triggersQuery)).map((row) => ({
      kind: row.kind,
      table: row.table,
      isEnabled: row.is_enabled,
    })),
    tablesWithRowTrigger: (await readRows<{ table: string }>(client, rowTriggersQuery)).map(
      (row) => row.table,
    ),
  };
}

interface EmitRow {
  readonly name: string;
  readonly is_public: boolean;
  readonly roles: readonly string[];
}

interface FunctionRow {
  readonly kind: TriggerKind;
  readonly owner: string;
  readonly may_emit: boolean;
}

interface TriggerRow {
  readonly kind: TriggerKind;
  readonly table: string;
  readonly is_enabled: boolean;
}

const emitQuery = `
  WITH emit AS (SELECT oid FROM pg_proc WHERE oid = ${emitTextOid})
  SELECT emit.oid::regprocedure::text AS name, has_function_privilege('public', emit.oid, 'EXECUTE') AS is_public,
         CASE WHEN has_function_privilege('public', emit.oid, 'EXECUTE') THEN '{}'::text[]
              ELSE ARRAY(SELECT r.rolname::text FROM pg_roles r
                          WHERE r.rolcanlogin AND NOT has_function_privilege(r.oid, emit.oid, 'EXECUTE')
                            AND EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                                         WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'bemi')
                                           AND n.nspname !~ '^pg_'
                                           AND has_table_privilege(r.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))
                          ORDER BY 1 LIMIT 20) END AS roles
    FROM emit`;

const functionsQuery = `
  WITH emit AS (SELECT oid FROM pg_proc WHERE oid = ${emitTextOid})
  SELECT substring(p.proname FROM 6) AS kind, p.proowner::regrole::text AS owner,
         has_function_privilege(p.proowner, emit.oid, 'EXECUTE') AS may_emit
    FROM emit, pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname = '${triggerSchema}' AND p.proname IN ('emit_context', 'emit_actor') AND p.pronargs = 0
   ORDER BY 1 DESC`;

const triggersQuery = `
  SELECT CASE t.tgname WHEN '${triggerNames.context}' THEN 'context' ELSE 'actor' END AS kind, t.tgrelid::text AS "table",
         t.tgenabled IN ('O', 'A') AS is_enabled
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname = '${triggerSchema}' AND t.tgname IN ('${triggerNames.context}', '${triggerNames.actor}')`;

const rowTriggersQuery = `
  SELECT DISTINCT t.tgrelid::text AS "table" FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
   WHERE p.proname = '_bemi_row_trigger_func' AND NOT t.tgisinternal`;

import pg from 'pg';
import { quoteTable, type TableName } from './table-name.ts';

/** Schema of the functions, in the source database. Not `bemi`: that is the audit database's, and may be in the same one. */
export const triggerSchema = 'bemi_context';

/** What statement triggers can send: the context that the application hands over, and the database user. */
export type TriggerKind = 'context' | 'actor';

/** The names of the triggers, by what they send. */
export const triggerNames: { readonly [Kind in TriggerKind]: string } = {
  actor: 'bemi_actor',
  context: 'bemi_context',
};

export interface ContextTriggers {
  /** What is sent, at least one of them. */
  readonly kinds: readonly TriggerKind[];
  /** `all` that there are, or a selection. A selected partitioned table includes its partitions. */
  readonly tables: 'all' | readonly TableName[];
}

/**
 * A migration of the source database that makes triggers for clients that no driver can be wrapped for. Run again it does
 * what is missing; it can run within a transaction.
 *
 * A trigger is one for each statement, BEFORE it, so that its message stands before the changes. It remembers what it has
 * sent in a setting that is local to the transaction: one message a transaction, another one when the context has changed,
 * and, because ROLLBACK TO takes such a setting back with the message, again after that.
 */
export function triggersUp({ kinds, tables }: ContextTriggers): string {
  const chosen =
    tables === 'all' ? '' : tables.map((table) => pg.escapeLiteral(quoteTable(table)).trimStart()).join(', ');
  return [
    versionWarning,
    ownershipCheck,
    `CREATE SCHEMA IF NOT EXISTS ${triggerSchema};`,
    ...(kinds.includes('context') ? [contextFunction] : []),
    ...(kinds.includes('actor') ? [actorFunction] : []),
    attachFunction,
    `SELECT ${triggerSchema}.attach(${chosen}) AS "has its triggers now";\n`,
  ].join('\n\n');
}

/** Takes back what {@link triggersUp} made, and the schema once nothing of it is left. Run again it does nothing. */
export function triggersDown({ kinds }: Pick<ContextTriggers, 'kinds'>): string {
  return `${kinds.map(dropFunction).join('\n\n')}\n\n${dropSchema}\n`;
}

/** Of pg_logical_emit_message for text, in pg_proc.dat of every PostgreSQL; a test holds it to that. */
export const emitTextOid = 3577;

const versionWarning = `\
DO $bemi$
BEGIN
  IF current_setting('server_version_num')::integer < 140000 THEN
    RAISE WARNING 'PostgreSQL % does not stream messages: changes are recorded without context and without database user',
      current_setting('server_version')
      USING HINT = 'What is made here works from the upgrade to PostgreSQL 14 or later on.';
  END IF;
END $bemi$;`;

/** Functions that somebody else owns could become anything later, and be called by whoever runs this again. */
const ownershipCheck = `\
DO $bemi$
BEGIN
  IF EXISTS (SELECT FROM pg_namespace WHERE nspname = '${triggerSchema}' AND nspowner <> current_user::regrole) THEN
    RAISE EXCEPTION 'the schema ${triggerSchema} belongs to %',
      (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '${triggerSchema}')
      USING ERRCODE = 'insufficient_privilege', HINT = 'Run this as that role.';
  END IF;
END $bemi$;`;

/*
 * SECURITY DEFINER: a role that writes a table need not be allowed to send messages. Where the owner may not either, because
 * EXECUTE was revoked, nothing is sent: no write fails for its context. Asking for the function by its number, which is the
 * same in every PostgreSQL, and calling functions by assignment, which takes no query, makes a transaction's message cost
 * half of what PERFORM and a look into pg_proc did.
 */
const mayEmit = `has_function_privilege(${emitTextOid}, 'EXECUTE') IS NOT FALSE`;

const contextFunction = `\
-- Sends what the application has put into the setting bemi.context, as docs/spec/context-message.md says.
CREATE OR REPLACE FUNCTION ${triggerSchema}.emit_context() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $bemi$
DECLARE
  given text := coalesce(current_setting('bemi.context', true), '');
  sent text := coalesce(current_setting('bemi.context_sent', true), '');
  -- What was sent in another transaction was not sent in this one.
  has_sent boolean := coalesce(starts_with(sent, txid_current_if_assigned() || ' '), false);
  lsn pg_lsn;
BEGIN
  IF has_sent AND sent = txid_current_if_assigned() || ' ' || given OR NOT has_sent AND given = '' THEN
    RETURN NULL;
  END IF;
  IF ${mayEmit} THEN -- pg_logical_emit_message
    -- An empty one ends the one before it.
    lsn := pg_logical_emit_message(true, '_bemi', coalesce(nullif(given, ''), '{}'));
    -- Undone by ROLLBACK TO, like the message.
    sent := set_config('bemi.context_sent', txid_current() || ' ' || given, true);
  END IF;
  RETURN NULL;
END $bemi$;
REVOKE ALL ON FUNCTION ${triggerSchema}.emit_context() FROM PUBLIC;`;

const actorFunction = `\
-- Says which database user it is, once in a transaction.
CREATE OR REPLACE FUNCTION ${triggerSchema}.emit_actor() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $bemi$
DECLARE
  lsn pg_lsn;
  sent text := current_setting('bemi.actor_sent', true);
BEGIN
  IF sent = txid_current_if_assigned()::text THEN
    RETURN NULL;
  END IF;
  IF ${mayEmit} THEN -- pg_logical_emit_message
    lsn := pg_logical_emit_message(true, '_bemi_actor', json_strip_nulls(json_build_object(
      'session_user', session_user,
      'role', nullif(current_setting('role'), 'none'),
      'application_name', nullif(current_setting('application_name'), ''),
      'client_addr', host(inet_client_addr())))::text);
    sent := set_config('bemi.actor_sent', txid_current()::text, true);
  END IF;
  RETURN NULL;
END $bemi$;
REVOKE ALL ON FUNCTION ${triggerSchema}.emit_actor() FROM PUBLIC;`;

const attachFunction = `\
-- Gives tables the triggers that they lack: those that are named, or all that this role may. To be called again for tables
-- that are made later. It waits 2 s at most for a table's lock, so that no application waits long behind it.
CREATE OR REPLACE FUNCTION ${triggerSchema}.attach(VARIADIC tables regclass[] DEFAULT '{}') RETURNS SETOF regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $bemi$
DECLARE
  lacking record;
  attached regclass;
  forbidden text[] := '{}';
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('${triggerSchema}.attach'));
  FOR lacking IN
    SELECT c.oid::regclass AS relation, f.trigger_name, f.function,
           cardinality(tables) > 0 OR has_table_privilege(c.oid, 'TRIGGER') AS is_allowed
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN (VALUES ('${triggerNames.actor}', to_regprocedure('${triggerSchema}.emit_actor()')),
                        ('${triggerNames.context}', to_regprocedure('${triggerSchema}.emit_context()'))) AS f(trigger_name, function)
     WHERE f.function IS NOT NULL
       AND CASE WHEN cardinality(tables) > 0 THEN
             c.oid = ANY (tables)
             OR c.oid IN (SELECT part.relid FROM unnest(tables) AS named(relation), pg_partition_tree(named.relation) AS part)
           ELSE
             c.relkind IN ('r', 'p') AND c.relpersistence = 'p'
             AND n.nspname NOT IN ('bemi', 'information_schema') AND n.nspname !~ '^pg_'
             AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
           END
       AND NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgname = f.trigger_name)
     ORDER BY c.oid, f.trigger_name
  LOOP
    IF lacking.is_allowed THEN
      EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s',
                     lacking.trigger_name, lacking.relation, lacking.function);
      IF attached IS DISTINCT FROM lacking.relation THEN
        attached := lacking.relation;
        RETURN NEXT attached;
      END IF;
    ELSE
      forbidden := forbidden || lacking.relation::text;
    END IF;
  END LOOP;
  IF forbidden <> '{}' THEN
    RAISE WARNING 'This role may not make triggers on %', array_to_string(ARRAY(SELECT DISTINCT unnest(forbidden)), ', ')
      USING HINT = 'Run SELECT ${triggerSchema}.attach() as their owner, who needs USAGE on the schema and EXECUTE on its functions.';
  END IF;
END $bemi$;
REVOKE ALL ON FUNCTION ${triggerSchema}.attach(regclass[]) FROM PUBLIC;`;

function dropFunction(kind: TriggerKind): string {
  return `\
DO $bemi$
DECLARE
  before text := current_setting('lock_timeout');
  attached record;
BEGIN
  PERFORM set_config('lock_timeout', '2s', true);
  FOR attached IN
    SELECT t.tgrelid::regclass AS relation, t.tgname AS trigger_name FROM pg_trigger t
     WHERE t.tgfoid = to_regprocedure('${triggerSchema}.emit_${kind}()') ORDER BY t.tgrelid
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', attached.trigger_name, attached.relation);
  END LOOP;
  PERFORM set_config('lock_timeout', before, true);
END $bemi$;
DROP FUNCTION IF EXISTS ${triggerSchema}.emit_${kind}();`;
}

const dropSchema = `\
DO $bemi$
BEGIN
  IF to_regprocedure('${triggerSchema}.emit_context()') IS NULL AND to_regprocedure('${triggerSchema}.emit_actor()') IS NULL THEN
    DROP FUNCTION IF EXISTS ${triggerSchema}.attach(regclass[]);
    DROP SCHEMA IF EXISTS ${triggerSchema};
  END IF;
END $bemi$;`;

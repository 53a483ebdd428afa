import { type DdlFunction, type DdlFunctionOptions, ddlFunctions, ddlSchema } from './ddl-functions.ts';
import { oldestMessageVersion } from './ddl-version.ts';

export interface EventTrigger {
  readonly name: string;
  readonly event: 'ddl_command_end' | 'sql_drop' | 'table_rewrite';
  /** Command tags that it fires for; none for all. */
  readonly tags: readonly string[];
  /** Without its schema. */
  readonly function: string;
}

const creation = ['CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'CREATE SCHEMA'];

/** Triggers of one event fire in the order of their names: the identity is set before what became of a table is recorded. */
const identityTrigger: EventTrigger = {
  name: 'bemi_ddl_a_identity',
  event: 'ddl_command_end',
  tags: [...creation, 'ALTER TABLE'],
  function: 'set_identity',
};

const messageTriggers: readonly EventTrigger[] = [
  {
    name: 'bemi_ddl_command',
    event: 'ddl_command_end',
    // ALTER INDEX and ALTER VIEW may rename a table.
    tags: [
      ...creation,
      ...['ALTER TABLE', 'ALTER INDEX', 'ALTER VIEW', 'ALTER SCHEMA', 'ALTER TYPE'],
      ...['CREATE PUBLICATION', 'ALTER PUBLICATION'],
    ],
    function: 'record_command',
  },
  { name: 'bemi_ddl_drop', event: 'sql_drop', tags: [], function: 'record_drop' },
  { name: 'bemi_ddl_rewrite', event: 'table_rewrite', tags: [], function: 'record_rewrite' },
];

/** The event triggers that a source of this version should have. */
export function eventTriggers(version: number): readonly EventTrigger[] {
  return version < oldestMessageVersion ? [identityTrigger] : [identityTrigger, ...messageTriggers];
}

/** All names that were ever given, for taking them away. */
export const eventTriggerNames = [identityTrigger, ...messageTriggers].map(({ name }) => name);

/** Makes the functions, or replaces what an older version made. Needs CREATE on the database. Run again it changes nothing. */
export function ddlFunctionsSql(version: number, options: DdlFunctionOptions): string {
  return [
    ownershipCheck,
    `CREATE SCHEMA IF NOT EXISTS ${ddlSchema};`,
    ...ddlFunctions(version, options).map(functionSql),
  ].join('\n\n');
}

/**
 * Makes the event triggers. ALWAYS: they fire too where a session plays the replica (session_replication_role).
 * Needs a superuser, or what a hosting provider has in a superuser's place.
 */
export function eventTriggersSql(version: number): string {
  return eventTriggers(version)
    .map(({ name, event, tags, function: called }) => {
      const filter = tags.length === 0 ? '' : `\n  WHEN TAG IN (${tags.map((tag) => `'${tag}'`).join(', ')})`;
      return [
        `DROP EVENT TRIGGER IF EXISTS ${name};`,
        `CREATE EVENT TRIGGER ${name} ON ${event}${filter}\n  EXECUTE FUNCTION ${ddlSchema}.${called}();`,
        `ALTER EVENT TRIGGER ${name} ENABLE ALWAYS;`,
      ].join('\n');
    })
    .join('\n');
}

/** Takes everything away again. */
export const dropEventTriggersSql = eventTriggerNames
  .map((name) => `DROP EVENT TRIGGER IF EXISTS ${name};`)
  .join('\n');
export const dropDdlFunctionsSql = `${ddlFunctions(oldestMessageVersion, {})
  .toReversed()
  .map(({ name, signature }) => `DROP FUNCTION IF EXISTS ${ddlSchema}.${name}${asCalled(signature)};`)
  .join('\n')}
DROP SCHEMA IF EXISTS ${ddlSchema};`;

function functionSql({ name, signature, returns, language, attributes, body, about }: DdlFunction): string {
  return `\
-- ${about}
CREATE OR REPLACE FUNCTION ${ddlSchema}.${name}${signature} RETURNS ${returns}
LANGUAGE ${language} ${attributes} AS $bemi$${body}$bemi$;
REVOKE ALL ON FUNCTION ${ddlSchema}.${name}${asCalled(signature)} FROM PUBLIC;`;
}

function asCalled(signature: string): string {
  return signature.replace(/ DEFAULT '[^']*'/, '').replace('VARIADIC ', '');
}

/** Functions that somebody else owns could become anything later, and run as whoever makes the triggers. */
const ownershipCheck = `\
DO $bemi$
BEGIN
  IF EXISTS (SELECT FROM pg_namespace WHERE nspname = '${ddlSchema}' AND nspowner <> current_user::regrole) THEN
    RAISE EXCEPTION 'the schema ${ddlSchema} belongs to %',
      (SELECT nspowner::regrole FROM pg_namespace WHERE nspname = '${ddlSchema}')
      USING ERRCODE = 'insufficient_privilege', HINT = 'Run this as that role.';
  END IF;
END $bemi$;`;

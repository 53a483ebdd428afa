import { oldestMessageVersion } from './ddl-version.ts';

/** Schema of the functions, in the source database. Not that of the context's triggers: who makes those need not be who may make these. */
export const ddlSchema = 'bemi_ddl';

export type NewTableIdentity = 'full' | 'default' | 'unchanged';

export interface DdlFunctionOptions {
  /** What becomes of a new table's replica identity; `default` is FULL only where there is no primary key. Default `full`. */
  readonly identity?: NewTableIdentity;
  /** Whether messages hold the text of statements, which may hold any literal that somebody wrote. Default true. */
  readonly statements?: boolean;
}

/** A function of the source, as it is made. */
export interface DdlFunction {
  readonly name: string;
  /** With the types of its parameters. */
  readonly signature: string;
  readonly returns: string;
  readonly language: 'plpgsql' | 'sql';
  readonly attributes: string;
  /** Its body is what tells whether a source has this version of it. */
  readonly body: string;
  readonly about: string;
}

/** The functions that a server of this version needs, in the order in which they are made. */
export function ddlFunctions(version: number, options: DdlFunctionOptions): readonly DdlFunction[] {
  const identity = setIdentity(options.identity ?? 'full');
  if (version < oldestMessageVersion) return [identity];
  return [
    identity,
    tableState,
    emit(options.statements ?? true),
    recordCommand,
    recordDrop,
    recordRewrite,
    recordTables(options.identity ?? 'full'),
  ];
}

/** A condition, given the one that tells whether there is a primary key. */
const getsFull: Readonly<Record<NewTableIdentity, (hasKey: string) => string>> = {
  full: () => 'true',
  default: (key) => `NOT ${key}`,
  unchanged: () => 'false',
};

const fixedPath = 'SET search_path = pg_catalog, pg_temp';

/** Schemas that are nobody's tables but Bemi's or the server's. */
const isOthers = (schema: string) =>
  `${schema} IN ('bemi', 'bemi_context', '${ddlSchema}', 'information_schema') OR ${schema} ~ '^pg_'`;

/**
 * Of a table `c`: PostgreSQL 18 refuses every UPDATE and DELETE where REPLICA IDENTITY FULL covers a generated column that a
 * publication leaves out (identity.ts).
 */
const fullBreaks = `\
current_setting('server_version_num')::integer >= 180000
             AND (EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated = 'v' AND NOT a.attisdropped)
                  OR EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attgenerated = 's' AND NOT a.attisdropped)
                     AND EXISTS (SELECT FROM pg_publication p
                                  WHERE to_jsonb(p) ->> 'pubgencols' = 'n' AND (p.pubupdate OR p.pubdelete)))`;

const hasKey = `EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate)`;

/**
 * With the rights of whoever makes the table, who owns it: the administrator of a hosted server may not alter the tables of
 * others. A table that is altered so that FULL would break it goes back to its key.
 */
function setIdentity(identity: NewTableIdentity): DdlFunction {
  return {
    name: 'set_identity',
    signature: '()',
    returns: 'event_trigger',
    language: 'plpgsql',
    attributes: fixedPath,
    about:
      'Gives new tables REPLICA IDENTITY FULL, so that their old rows are recorded. Looks at this command’s tables alone.',
    body: `
DECLARE
  it record;
BEGIN
  FOR it IN
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, c.relreplident = 'f' AS is_full, ${hasKey} AS has_key,
           ${fullBreaks} AS full_breaks,
           bool_or(d.in_extension) AS in_extension, bool_or(d.command_tag <> 'ALTER TABLE') AS is_new
      FROM pg_event_trigger_ddl_commands() d
      JOIN pg_class c ON c.oid = d.objid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE d.classid = 'pg_class'::regclass AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
       AND NOT (${isOthers('n.nspname')})
     GROUP BY c.oid, c.relname, c.relreplident, n.nspname
  LOOP
    BEGIN
      IF it.full_breaks THEN
        IF it.is_full AND it.has_key THEN
          EXECUTE format('ALTER TABLE %s REPLICA IDENTITY DEFAULT', it.name);
        ELSIF NOT it.has_key THEN
          RAISE WARNING 'Bemi: once % is published, its UPDATE and DELETE fail without a primary key', it.name;
        END IF;
      ELSIF ${getsFull[identity]('it.has_key')} AND it.is_new AND NOT it.is_full AND NOT (it.in_extension AND it.has_key) THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', it.name);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      RAISE WARNING 'Bemi could not set the replica identity of %: %', it.name, SQLERRM;
    END;
  END LOOP;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'Bemi could not set a replica identity: %', SQLERRM;
END `,
  };
}

const tableState: DdlFunction = {
  name: 'table_state',
  signature: '(relation oid)',
  returns: 'json',
  language: 'sql',
  attributes: `STABLE ${fixedPath}`,
  about: 'A table as docs/spec/ddl-message.md describes one.',
  body: `
SELECT json_build_object(
         'kind', CASE c.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
         'schema', n.nspname, 'name', c.relname, 'oid', c.oid::bigint,
         'persistence', CASE c.relpersistence WHEN 'p' THEN 'permanent' WHEN 'u' THEN 'unlogged' ELSE 'temporary' END,
         'replica_identity', CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'i' THEN 'index' WHEN 'n' THEN 'nothing' ELSE 'default' END,
         'partition_of', (SELECT json_build_object('schema', pn.nspname, 'name', p.relname)
                            FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent JOIN pg_namespace pn ON pn.oid = p.relnamespace
                           WHERE i.inhrelid = c.oid AND c.relispartition LIMIT 1),
         'primary_key', (SELECT coalesce(json_agg(a.attname ORDER BY k.place), '[]')
                           FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
                           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                          WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts),
         'columns', (SELECT coalesce(json_agg(json_build_object(
                              'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
                              'type_oid', a.atttypid::bigint, 'type_modifier', a.atttypmod,
                              'not_null', CASE WHEN a.attnotnull THEN true END,
                              'generated', CASE a.attgenerated WHEN 's' THEN 'stored' WHEN 'v' THEN 'virtual' END)
                            ORDER BY a.attnum), '[]')
                       FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation `,
};

/** How much of a statement is kept, in characters. */
export const statementLimit = 10_000;
/** How many objects a message names at most. */
export const objectLimit = 100;

/**
 * What may be a password: the word and then a literal, \`password=\`, or a URL with one. PostgreSQL's own commands for roles
 * fire no event trigger, but may stand in one query text with a command that does.
 */
const secretPattern = String.raw`\mpassword\M"?(\s|=|--[^\n]*\n|/\*([^*]|\*+[^*/])*\*+/)*((e|b|x|n|u&)?''|\$)|\mpassword\s*=|://[^/\s:@'']*:[^@\s'']+@`;

function emit(keepsStatements: boolean): DdlFunction {
  return {
    name: 'emit',
    signature: '(event text, tag text, objects json, part integer, via text)',
    returns: 'void',
    language: 'plpgsql',
    attributes: fixedPath,
    about: 'Writes a message into the write-ahead log, in this transaction: docs/spec/ddl-message.md.',
    body: `
DECLARE
  whole text := CASE WHEN ${keepsStatements} AND part = 1 THEN current_query() END;
  kept text := left(whole, ${statementLimit});
  is_secret boolean := coalesce(kept ~* '${secretPattern}', false);
BEGIN
  PERFORM pg_logical_emit_message(true, '_bemi_ddl', json_strip_nulls(json_build_object(
    'version', 1, 'event', event, 'tag', tag, 'part', nullif(part, 1), 'via', via,
    'statement', CASE WHEN NOT is_secret THEN kept END,
    'statement_withheld', CASE WHEN is_secret THEN true END,
    'statement_cut', CASE WHEN NOT is_secret AND kept <> whole THEN true END,
    'objects', objects,
    'session_user', session_user,
    'role', nullif(current_setting('role'), 'none'),
    'application_name', nullif(current_setting('application_name'), ''),
    'client_addr', host(inet_client_addr())))::text);
  -- Decoding gives a message the position of the record behind it. Where that is a change, and of another subtransaction than
  -- the message (an EXCEPTION block is one), the change may come first. So something that is of no transaction stands between.
  PERFORM pg_logical_emit_message(false, '_bemi_ddl', '');
END `,
  };
}

/** The database's word for whether set_identity runs this very command. Only ever shown: whoever writes SQL can imitate it. */
const viaIdentity = `CASE WHEN context ~ 'function ${ddlSchema}\\.set_identity\\(\\) line' THEN 'set_identity' END`;

/** Sends the objects of a query by the hundred. \`listed\` has \`object\` and \`place\`. */
const sendListed = (event: string, listed: string): string => `\
  FOR it IN
    WITH listed AS (${listed})
    SELECT ((row_number - 1) / ${objectLimit} + 1)::integer AS part, json_agg(object ORDER BY row_number) AS objects
      FROM (SELECT object, row_number() OVER (ORDER BY place) FROM listed WHERE object IS NOT NULL) AS numbered
     GROUP BY 1 ORDER BY 1
  LOOP
    PERFORM ${ddlSchema}.emit('${event}', tg_tag, it.objects, it.part, via);
  END LOOP;`;

const recordCommand: DdlFunction = {
  name: 'record_command',
  signature: '()',
  returns: 'event_trigger',
  language: 'plpgsql',
  // As the owner: whoever alters a table need not be allowed to send messages, nor to use this schema.
  attributes: `SECURITY DEFINER ${fixedPath}`,
  about: 'Records what became of this command’s tables.',
  body: `
DECLARE
  context text;
  via text;
  it record;
BEGIN
  GET DIAGNOSTICS context = PG_CONTEXT;
  via := ${viaIdentity};
${sendListed(
  'command',
  `
      SELECT CASE WHEN c.oid IS NOT NULL THEN ${ddlSchema}.table_state(c.oid)
                  ELSE json_build_object('kind', d.object_type, 'identity', d.object_identity) END AS object, d.place
        FROM (SELECT d.classid, d.objid, max(d.object_type) AS object_type, max(d.object_identity) AS object_identity, min(d.place) AS place
                FROM (SELECT e.classid, e.objid, e.object_type, e.object_identity, e.command_tag, row_number() OVER () AS place
                        FROM pg_event_trigger_ddl_commands() e) d
               WHERE d.classid = 'pg_class'::regclass
                  OR d.object_type IN ('publication', 'publication relation', 'publication namespace')
                  OR d.object_type = 'schema' AND d.command_tag = 'ALTER SCHEMA'
                  OR d.object_type IN ('type', 'composite type') AND d.command_tag = 'ALTER TYPE'
               GROUP BY d.classid, d.objid) d
        LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'p')
       WHERE c.relpersistence <> 't'
          OR d.object_type IN ('publication', 'publication relation', 'publication namespace', 'schema', 'type', 'composite type')`,
)}
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'Bemi could not record this %: %', tg_tag, SQLERRM;
END `,
};

const recordDrop: DdlFunction = {
  name: 'record_drop',
  signature: '()',
  returns: 'event_trigger',
  language: 'plpgsql',
  attributes: `SECURITY DEFINER ${fixedPath}`,
  about: 'Records which tables and publications this command dropped, and columns that went with a type.',
  body: `
DECLARE
  via text;
  it record;
BEGIN
${sendListed(
  'drop',
  `
      SELECT CASE WHEN d.object_type = 'table' THEN
                    json_build_object('kind', 'table', 'schema', d.schema_name, 'name', d.object_name, 'oid', d.objid::bigint)
                  WHEN d.object_type = 'table column' THEN
                    json_build_object('kind', 'table column', 'identity', d.object_identity, 'table', ${ddlSchema}.table_state(d.objid))
                  ELSE json_build_object('kind', d.object_type, 'identity', d.object_identity) END AS object, d.place
        FROM (SELECT e.*, row_number() OVER () AS place FROM pg_event_trigger_dropped_objects() e) d
       WHERE NOT d.is_temporary
         AND (d.object_type IN ('table', 'schema', 'publication', 'publication relation', 'publication namespace')
              -- What ALTER TABLE drops is said by the table's state after it.
              OR d.object_type = 'table column' AND tg_tag <> 'ALTER TABLE'
                 AND EXISTS (SELECT FROM pg_class c WHERE c.oid = d.objid AND c.relkind IN ('r', 'p')))`,
)}
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'Bemi could not record this %: %', tg_tag, SQLERRM;
END `,
};

const recordRewrite: DdlFunction = {
  name: 'record_rewrite',
  signature: '()',
  returns: 'event_trigger',
  language: 'plpgsql',
  attributes: `SECURITY DEFINER ${fixedPath}`,
  about: 'Records that a table is rewritten: its rows may change, and the write-ahead log will not say how.',
  body: `
DECLARE
  via text;
  it record;
  reason integer := pg_event_trigger_table_rewrite_reason();
BEGIN
${sendListed(
  'rewrite',
  `
      SELECT json_build_object(
               'kind', CASE c.relkind WHEN 'p' THEN 'partitioned table' ELSE 'table' END,
               'schema', n.nspname, 'name', c.relname, 'oid', c.oid::bigint,
               'rewrite', array_remove(ARRAY[CASE WHEN reason & 1 > 0 THEN 'persistence' END, CASE WHEN reason & 2 > 0 THEN 'default' END,
                                             CASE WHEN reason & 4 > 0 THEN 'column' END, CASE WHEN reason & 8 > 0 THEN 'access method' END],
                                       NULL)) AS object, 1 AS place
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.oid = pg_event_trigger_table_rewrite_oid() AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'`,
)}
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'Bemi could not record this %: %', tg_tag, SQLERRM;
END `,
};

function recordTables(identity: NewTableIdentity): DdlFunction {
  return {
    name: 'record_tables',
    signature: "(VARIADIC tables regclass[] DEFAULT '{}')",
    returns: 'SETOF regclass',
    language: 'plpgsql',
    attributes: `${fixedPath} SET lock_timeout = '2s'`,
    about:
      'Where event triggers are not allowed, to be called by a migration: records what became of these tables; without any, gives those ' +
      'that this role may alter their identity, and records these.',
    body: `
DECLARE
  it record;
  done regclass;
BEGIN
  FOR it IN
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name,
           ${getsFull[identity](hasKey)} AND c.relreplident <> 'f' AND pg_has_role(c.relowner, 'USAGE') AND NOT (${fullBreaks}) AS gets_identity
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND NOT (${isOthers('n.nspname')})
       AND CASE WHEN cardinality(tables) > 0 THEN c.oid = ANY (tables)
                ELSE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') END
     ORDER BY c.oid
  LOOP
    CONTINUE WHEN cardinality(tables) = 0 AND NOT it.gets_identity;
    IF it.gets_identity THEN
      EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', it.name);
    END IF;
    PERFORM ${ddlSchema}.emit('call', 'SELECT', json_build_array(${ddlSchema}.table_state(it.oid)), 1, NULL);
    done := it.oid;
    RETURN NEXT done;
  END LOOP;
END `,
  };
}

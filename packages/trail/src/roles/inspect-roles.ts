import type pg from 'pg';
import { readSchema, type SchemaState } from '../migrate.ts';
import { openFunctions, type TrailRoles, writerInserts, writerReads } from './trail-roles.ts';

/** What the plan for the roles of an audit database depends on. */
export interface TrailRolesSnapshot {
  /** The role that is connected, the administrator. */
  readonly admin: {
    readonly name: string;
    readonly isSuperuser: boolean;
    readonly mayCreateRoles: boolean;
    /** Whether it has the owner's rights and may act as the owner; false where there is no owner yet. */
    readonly isOwnersMember: boolean;
    readonly mayCreateSchema: boolean;
  };
  readonly database: string;
  readonly owner: RoleSnapshot | undefined;
  readonly writer: RoleSnapshot | undefined;
  readonly reader: RoleSnapshot | undefined;
  readonly accounts: RoleSnapshot | undefined;
  /** Owner of the schema `bemi_accounts`, where there is one. */
  readonly accountsSchemaOwner: string | undefined;
  readonly schema: SchemaState;
  /** What stands in the schema, or shows it, and belongs to another role than the owner. */
  readonly strangers: readonly OwnedThing[];
  /** Names of what the writer or the reader may do too little or too much with. Empty while one of them is missing. */
  readonly misgranted: readonly string[];
  /** The schema `public`, for the view `public.changes`. */
  readonly publicSchema: {
    readonly hasChanges: boolean;
    readonly mayOwnerCreate: boolean;
    readonly mayAdminGrantCreate: boolean;
  };
}

export interface RoleSnapshot {
  readonly isSuperuser: boolean;
  readonly canLogin: boolean;
  /** `default_transaction_read_only` is set for the role. */
  readonly isReadOnly: boolean;
  readonly mayConnect: boolean;
  /** The other roles that it is a member of, directly or not. */
  readonly memberOf: readonly string[];
}

export interface OwnedThing {
  readonly kind: 'schema' | 'table' | 'view' | 'sequence' | 'function';
  /** As SQL writes it, with its schema. */
  readonly name: string;
  readonly owner: string;
  /** Whether the administrator may give it away. */
  readonly isAdmins: boolean;
}

/** Names our advisory lock. */
const setupLock = 'bemi.setup';

/** Keeps others from planning and applying at the same time, for as long as the client is connected. */
export async function lockSetup(client: pg.ClientBase): Promise<void> {
  await client.query('SELECT pg_advisory_lock(hashtext($1))', [setupLock]);
}

/** Looks at everything that the roles depend on. It only reads. */
export async function inspectRoles(client: pg.ClientBase, roles: TrailRoles): Promise<TrailRolesSnapshot> {
  const schema = await readSchema(client);
  const { rows: admins } = await client.query<
    Omit<TrailRolesSnapshot['admin'], 'isOwnersMember'> & { database: string; version: number }
  >(
    `SELECT rolname::text AS name, rolsuper AS "isSuperuser", rolcreaterole OR rolsuper AS "mayCreateRoles",
            has_database_privilege(current_database(), 'CREATE') AS "mayCreateSchema",
            current_database()::text AS database, current_setting('server_version_num')::integer AS version
       FROM pg_roles WHERE rolname = current_user`,
  );
  const { database, version, ...admin } = admins[0]!;
  const found = {
    owner: await inspectRole(client, roles.owner),
    writer: await inspectRole(client, roles.writer),
    reader: await inspectRole(client, roles.reader),
    accounts: await inspectRole(client, roles.accounts),
  };
  const { rows: accountsSchemas } = await client.query<{ owner: string }>(
    `SELECT pg_get_userbyid(nspowner)::text AS owner FROM pg_namespace WHERE nspname = 'bemi_accounts'`,
  );
  return {
    admin: {
      ...admin,
      isOwnersMember: found.owner !== undefined && (await isMember(client, roles.owner, version)),
    },
    database,
    ...found,
    accountsSchemaOwner: accountsSchemas[0]?.owner,
    schema,
    strangers: await inspectStrangers(client, roles.owner),
    misgranted:
      found.writer && found.reader && schema.owner !== undefined ? await inspectGrants(client, roles) : [],
    publicSchema: await inspectPublic(client, found.owner && roles.owner),
  };
}

async function inspectRole(client: pg.ClientBase, name: string): Promise<RoleSnapshot | undefined> {
  const { rows } = await client.query<RoleSnapshot>(
    `SELECT r.rolsuper AS "isSuperuser", r.rolcanlogin AS "canLogin",
            coalesce('default_transaction_read_only=on' = ANY (r.rolconfig), false) AS "isReadOnly",
            has_database_privilege(r.oid, current_database(), 'CONNECT') AS "mayConnect",
            ARRAY(SELECT other.rolname::text FROM pg_roles other
                   WHERE other.oid <> r.oid AND pg_has_role(r.oid, other.oid, 'MEMBER') ORDER BY 1) AS "memberOf"
       FROM pg_roles r WHERE r.rolname = $1`,
    [name],
  );
  return rows[0];
}

/** From PostgreSQL 16 on, a member has a role's rights (USAGE) and may act as it (SET) by two separate options. */
async function isMember(client: pg.ClientBase, owner: string, version: number): Promise<boolean> {
  const { rows } = await client.query<{ yes: boolean }>(
    `SELECT pg_has_role($1::name, 'USAGE') AND pg_has_role($1::name, $2) AS yes`,
    [owner, version >= 160_000 ? 'SET' : 'MEMBER'],
  );
  return rows[0]!.yes;
}

async function inspectStrangers(client: pg.ClientBase, owner: string): Promise<OwnedThing[]> {
  const { rows } = await client.query<OwnedThing>(
    `SELECT kind, name, pg_get_userbyid(owned_by)::text AS owner, pg_has_role(owned_by, 'USAGE') AS "isAdmins"
       FROM (SELECT 'schema' AS kind, quote_ident(nspname) AS name, nspowner AS owned_by FROM pg_namespace WHERE nspname = 'bemi'
             UNION ALL
             SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END,
                    format('%I.%I', n.nspname, c.relname), c.relowner
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE (n.nspname = 'bemi' AND c.relkind IN ('r', 'p', 'v', 'S')
                     OR n.nspname = 'public' AND c.relname = 'changes' AND ${isOurView('c.oid')})
                -- The sequence of an identity column has the owner of its table.
                AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                                                      AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
             UNION ALL
             SELECT 'function', format('bemi.%I(%s)', p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner
               FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'bemi') thing
      WHERE pg_get_userbyid(owned_by) <> $1
      ORDER BY array_position(ARRAY['schema', 'table', 'sequence', 'view', 'function'], kind), name`,
    [owner],
  );
  return rows;
}

/** Whether a relation is a view over `bemi.changes`. */
function isOurView(oid: string): string {
  return `EXISTS (SELECT FROM pg_rewrite w JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                    JOIN pg_class source ON d.refclassid = 'pg_class'::regclass AND source.oid = d.refobjid
                   WHERE w.ev_class = ${oid} AND source.relname = 'changes' AND source.relnamespace = to_regnamespace('bemi'))`;
}

/** Says the same as what {@link grantStep} does. */
async function inspectGrants(client: pg.ClientBase, roles: TrailRoles): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `WITH role(name, is_writer) AS (VALUES ($1::name, true), ($2::name, false))
     SELECT format('schema bemi for %I', role.name) AS name FROM role
      WHERE NOT has_schema_privilege(role.name, 'bemi', 'USAGE') OR has_schema_privilege(role.name, 'bemi', 'CREATE')
     UNION ALL
     SELECT format('%I.%I for %I', n.nspname, c.relname, role.name)
       FROM role, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
            LATERAL (SELECT role.is_writer AND n.nspname = 'bemi' AND c.relname = ANY ($3) AS inserts,
                            role.is_writer OR n.nspname <> 'bemi' OR c.relname <> ALL ($4) AS reads) wanted
      WHERE (n.nspname = 'bemi' OR n.nspname = 'public' AND c.relname = 'changes' AND ${isOurView('c.oid')})
        AND c.relkind IN ('r', 'p', 'v')
        AND (NOT c.relispartition AND wanted.reads AND NOT has_table_privilege(role.name, c.oid, 'SELECT')
             OR NOT wanted.reads AND has_any_column_privilege(role.name, c.oid, 'SELECT')
             OR wanted.inserts <> has_any_column_privilege(role.name, c.oid, 'INSERT')
             OR has_any_column_privilege(role.name, c.oid, 'UPDATE')
             OR has_table_privilege(role.name, c.oid, 'DELETE, TRUNCATE, REFERENCES, TRIGGER'))
     UNION ALL
     SELECT format('bemi.%I for %I', p.proname, role.name)
       FROM role, pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
      WHERE n.nspname = 'bemi' AND p.prosecdef AND has_function_privilege(role.name, p.oid, 'EXECUTE') <> (role.is_writer OR p.proname = ANY ($5))
      ORDER BY 1`,
    [roles.writer, roles.reader, writerInserts, writerReads, openFunctions],
  );
  return rows.map(({ name }) => name);
}

async function inspectPublic(
  client: pg.ClientBase,
  owner: string | undefined,
): Promise<TrailRolesSnapshot['publicSchema']> {
  const { rows } = await client.query<TrailRolesSnapshot['publicSchema']>(
    `SELECT to_regclass('public.changes') IS NOT NULL AS "hasChanges",
            coalesce(has_schema_privilege($1::name, n.oid, 'CREATE'), false) AS "mayOwnerCreate",
            has_schema_privilege(n.oid, 'CREATE WITH GRANT OPTION') AS "mayAdminGrantCreate"
       FROM pg_namespace n WHERE n.nspname = 'public'`,
    [owner ?? null],
  );
  return rows[0] ?? { hasChanges: true, mayOwnerCreate: false, mayAdminGrantCreate: false };
}

import type pg from 'pg';
import { type DdlSnapshot, inspectDdl } from '../ddl/inspect-ddl.ts';
import { type ContextSnapshot, inspectContext } from '../inspect-context.ts';
import { readRows } from '../read-rows.ts';
import { quoteTable, type TableName } from '../table-name.ts';

/** What else of Bemi is on a source than a `SourceSnapshot` tells. */
export interface TeardownSnapshot {
  readonly ddl: DdlSnapshot;
  readonly context: ContextSnapshot;
  /** Of the set-up guide's event trigger: what of it is there. */
  readonly guide: { readonly trigger: boolean; readonly function: boolean; readonly procedure: boolean };
  readonly role: RoleUse | undefined;
  /** Tables that other publications send too, as `quoteTable` writes them. */
  readonly publishedElsewhere: ReadonlySet<string>;
}

/** What hangs on the worker's role. */
export interface RoleUse {
  readonly name: string;
  /** Schemas that it may do something with. */
  readonly schemas: readonly string[];
  /** Schemas with tables that it may do something with. */
  readonly tableSchemas: readonly string[];
  readonly defaults: readonly { readonly owner: string; readonly schema: string | null }[];
  /** Whether it has privileges on this database. */
  readonly onDatabase: boolean;
  /** What it may do that setup never grants, such as `INSERT`: then it is somebody else's role too. */
  readonly others: readonly string[];
  /** How many objects it owns in this database, and databases in which anything hangs on it. */
  readonly owned: number;
  readonly otherDatabases: readonly string[];
}

export async function inspectTeardown(
  client: pg.ClientBase,
  publication: string,
  role: string | undefined,
): Promise<TeardownSnapshot> {
  const [guide] = await readRows<TeardownSnapshot['guide']>(client, guideQuery);
  const [use] = role === undefined ? [] : await readRows<RoleUse>(client, roleQuery, role);
  const elsewhere = await publishedElsewhere(client, publication);
  return {
    ddl: await inspectDdl(client),
    context: await inspectContext(client),
    guide: guide ?? { trigger: false, function: false, procedure: false },
    role: use,
    publishedElsewhere: elsewhere,
  };
}

/** The tables that other publications than this one send, as `quoteTable` writes them: their identity is theirs too. */
export async function publishedElsewhere(
  client: pg.ClientBase,
  publication: string,
): Promise<ReadonlySet<string>> {
  return new Set((await readRows<TableName>(client, elsewhereQuery, publication)).map(quoteTable));
}

const guideQuery = `
  SELECT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = '_bemi_set_replica_identity_trigger') AS trigger,
         to_regprocedure('public._bemi_set_replica_identity_func()') IS NOT NULL AS function,
         to_regprocedure('public._bemi_set_replica_identity()') IS NOT NULL AS procedure`;

/** $1: publication. */
const elsewhereQuery = `
  SELECT DISTINCT schemaname::text AS schema, tablename::text AS name
    FROM pg_publication_tables WHERE pubname <> $1`;

/** $1: role. */
const roleQuery = `
  SELECT r.rolname::text AS name,
         ARRAY(SELECT n.nspname::text FROM pg_namespace n
                WHERE EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = r.oid) ORDER BY 1) AS schemas,
         ARRAY(SELECT DISTINCT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                  AND EXISTS (SELECT FROM aclexplode(c.relacl) a WHERE a.grantee = r.oid) ORDER BY 1) AS "tableSchemas",
         (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('owner', pg_get_userbyid(d.defaclrole), 'schema', n.nspname)), '[]')
            FROM pg_default_acl d LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
           CROSS JOIN aclexplode(d.defaclacl) a
           WHERE d.defaclobjtype = 'r' AND a.grantee = r.oid) AS defaults,
         EXISTS (SELECT FROM pg_database d CROSS JOIN aclexplode(d.datacl) a
                  WHERE d.datname = current_database() AND a.grantee = r.oid) AS "onDatabase",
         ARRAY(SELECT DISTINCT privilege FROM (
                 SELECT a.privilege_type FROM pg_class c CROSS JOIN aclexplode(c.relacl) a
                  WHERE a.grantee = r.oid AND a.privilege_type <> 'SELECT'
                 UNION ALL SELECT a.privilege_type FROM pg_namespace n CROSS JOIN aclexplode(n.nspacl) a
                  WHERE a.grantee = r.oid AND a.privilege_type <> 'USAGE'
                 UNION ALL SELECT attribute FROM (VALUES ('SUPERUSER', r.rolsuper), ('CREATEROLE', r.rolcreaterole),
                                                         ('CREATEDB', r.rolcreatedb)) AS has(attribute, is_set) WHERE is_set
               ) AS more(privilege) ORDER BY 1) AS others,
         (SELECT count(*) FROM pg_shdepend s
           WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND s.deptype = 'o'
             AND s.dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database())))::int4 AS owned,
         ARRAY(SELECT DISTINCT d.datname::text FROM pg_shdepend s JOIN pg_database d ON d.oid = s.dbid
                WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = r.oid AND d.datname <> current_database()
                ORDER BY 1) AS "otherDatabases"
    FROM pg_roles r
   WHERE r.rolname = $1`;

// The catalog, as PostgreSQL 12 to 18 have it. Everything here can be read by a role that has nothing but
// LOGIN. Where versions differ in columns, the row is fetched by to_jsonb: what doesn't exist is absent.
// https://www.postgresql.org/docs/current/catalogs.html

import { triggerSchema } from './context-triggers.ts';
import { ddlSchema } from './ddl/ddl-functions.ts';

/** Roles by which hosting providers give the rights that REPLICATION and SUPERUSER give elsewhere. */
const providerRoles = `'rds_replication', 'rds_superuser'`;

/** $1: roles that providers make. */
export const serverQuery = `
  SELECT current_setting('server_version_num')::int4 AS version,
         current_setting('server_version') AS version_text,
         ARRAY(SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($1)) AS provider_roles,
         to_regproc('aurora_version') IS NOT NULL AS is_aurora,
         (SELECT setting FROM pg_settings WHERE name = 'data_directory') AS data_directory,
         current_database()::text AS database,
         getdatabaseencoding()::text AS encoding,
         pg_is_in_recovery() AS is_in_recovery,
         (SELECT sender_host || ':' || sender_port FROM pg_stat_wal_receiver) AS primary_address,
         current_setting('wal_level') AS wal_level,
         current_setting('max_replication_slots')::int4 AS max_replication_slots,
         (SELECT count(*) FROM pg_replication_slots)::int4 AS used_replication_slots,
         current_setting('max_wal_senders')::int4 AS max_wal_senders,
         (SELECT count(*) FROM pg_stat_replication)::int4 AS used_wal_senders,
         coalesce(has_function_privilege(to_regprocedure('pg_control_system()'), 'EXECUTE'), false)
           AS may_identify,
         coalesce(has_function_privilege(to_regprocedure('pg_current_wal_lsn()'), 'EXECUTE'), false)
           AS may_locate`;

export const systemIdentifierQuery = 'SELECT system_identifier::text AS value FROM pg_control_system()';

export const walLsnQuery = 'SELECT pg_current_wal_lsn()::text AS value';

/** $1: the role that was asked for, or null. */
export const rolesQuery = `
  SELECT r.rolname::text AS name, r.rolname = current_user AS is_current, r.rolsuper AS is_superuser,
         r.rolcanlogin AS can_login, r.rolreplication AS has_replication,
         ARRAY(SELECT g.rolname::text FROM pg_roles g
                WHERE g.rolname IN (${providerRoles}) AND NOT r.rolsuper
                  AND pg_has_role(r.oid, g.oid, 'MEMBER')
                ORDER BY 1) AS provider_roles
    FROM pg_roles r
   WHERE r.rolname = current_user OR r.rolname = $1`;

/** $1: publication. */
export const publicationQuery = `
  SELECT to_jsonb(p) AS publication,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', n.nspname, 'name', c.relname)
                                    ORDER BY n.nspname, c.relname), '[]')
            FROM pg_publication_rel pr
            JOIN pg_class c ON c.oid = pr.prrelid
            JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE pr.prpubid = p.oid AND to_jsonb(pr) ->> 'prqual' IS NOT NULL) AS filtered
    FROM pg_publication p
   WHERE p.pubname = $1`;

/** $1: slot. */
export const slotQuery = 'SELECT to_jsonb(s) AS slot FROM pg_replication_slots s WHERE s.slot_name = $1';

const isUserSchema = `n.nspname NOT IN ('information_schema', 'bemi', '${triggerSchema}', '${ddlSchema}') AND n.nspname !~ '^pg_'`;

// An extension's own schema is none that the application keeps its tables in. Tables in it are inspected all
// the same: a publication for all tables includes them.
const isApplicationSchema = `
  ${isUserSchema}
  AND NOT EXISTS (SELECT FROM pg_depend d
                   WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid
                     AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e')`;

export const schemasQuery = `
  SELECT n.nspname::text AS name FROM pg_namespace n WHERE ${isApplicationSchema} ORDER BY 1`;

/** $1: publication. */
export const tablesQuery = `
  WITH published AS MATERIALIZED (
         SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = $1),
       -- Every UPDATE must satisfy every publication of its table, not only ours.
       elsewhere AS MATERIALIZED (
         SELECT DISTINCT pt.schemaname, pt.tablename
           FROM pg_publication_tables pt JOIN pg_publication p ON p.pubname = pt.pubname
          WHERE p.pubname <> $1 AND to_jsonb(p) ->> 'pubgencols' = 'n' AND (p.pubupdate OR p.pubdelete)),
       extension AS MATERIALIZED (
         SELECT d.objid, e.extname
           FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
          WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass
            AND d.deptype = 'e')
  SELECT c.oid::text AS oid, n.nspname::text AS schema, c.relname::text AS name,
         c.relkind::text AS kind, c.relpersistence::text AS persistence, c.relreplident::text AS identity,
         ARRAY(SELECT i.inhparent::text FROM pg_inherits i WHERE i.inhrelid = c.oid
                ORDER BY i.inhseqno) AS parents,
         pg_get_userbyid(c.relowner)::text AS owner,
         pg_has_role(c.relowner, 'USAGE') AS is_alterable,
         (SELECT e.extname::text FROM extension e WHERE e.objid = c.oid) AS extension,
         EXISTS (SELECT FROM pg_index i
                  WHERE i.indrelid = c.oid AND i.indisprimary AND i.indimmediate) AS has_primary_key,
         EXISTS (SELECT FROM pg_index i
                  WHERE i.indrelid = c.oid AND i.indisreplident AND i.indisvalid) AS has_identity_index,
         nullif(c.reltuples, -1)::float8 AS row_estimate,
         ARRAY(SELECT a.attname::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attgenerated = 's' AND NOT a.attisdropped
                ORDER BY a.attnum) AS stored_generated,
         ARRAY(SELECT a.attname::text FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attgenerated = 'v' AND NOT a.attisdropped
                ORDER BY a.attnum) AS virtual_generated,
         EXISTS (SELECT FROM pg_publication_rel pr
                  WHERE pr.prrelid = c.oid AND to_jsonb(pr) ->> 'prattrs' IS NOT NULL) AS has_column_list,
         EXISTS (SELECT FROM pg_publication_rel pr JOIN pg_publication p ON p.oid = pr.prpubid
                  WHERE pr.prrelid = c.oid AND p.pubname = $1) AS is_listed,
         EXISTS (SELECT FROM elsewhere x
                  WHERE x.schemaname = n.nspname AND x.tablename = c.relname) AS is_elsewhere,
         EXISTS (SELECT FROM published x
                  WHERE x.schemaname = n.nspname AND x.tablename = c.relname) AS is_published
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p') AND ${isUserSchema}
   ORDER BY n.nspname, c.relname`;

/** $1: the role that was asked for; it must exist. */
export const grantsQuery = `
  WITH ours AS MATERIALIZED (SELECT n.oid, n.nspname FROM pg_namespace n WHERE ${isUserSchema})
  SELECT ARRAY(SELECT n.nspname::text FROM ours n
                WHERE has_schema_privilege(r.oid, n.oid, 'USAGE') ORDER BY 1) AS usable_schemas,
         ARRAY(SELECT c.oid::text FROM pg_class c JOIN ours n ON n.oid = c.relnamespace
                WHERE c.relkind IN ('r', 'p') AND has_table_privilege(r.oid, c.oid, 'SELECT')
                ) AS readable_tables,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('owner', pg_get_userbyid(d.defaclrole),
                                                       'schema', n.nspname)), '[]')
            FROM pg_default_acl d
            LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
           CROSS JOIN aclexplode(d.defaclacl) a
           WHERE d.defaclobjtype = 'r' AND a.grantee = r.oid AND a.privilege_type = 'SELECT'
         ) AS default_privileges
    FROM pg_roles r
   WHERE r.rolname = $1`;

import type pg from 'pg';
import { readRows } from './read-rows.ts';
import type { TableName } from './table-name.ts';

/**
 * What of a source matters to its running, beside what recording depends on (`SourceSnapshot`). `undefined` stands for what this
 * role may not see, or what this version of PostgreSQL does not have.
 */
export interface OperationSnapshot {
  /** `max_slot_wal_keep_size` in bytes; -1 is no limit. PostgreSQL 13+. */
  readonly keepLimitBytes: number | undefined;
  /** `idle_replication_slot_timeout`; 0 is none. PostgreSQL 18+. */
  readonly idleSlotTimeoutSeconds: number | undefined;
  /** The link of the session that looked. */
  readonly link: LinkEncryption | undefined;
  /** The link of the worker that streams from the slot now. */
  readonly workerLink: LinkEncryption | undefined;
  readonly excess: ExcessSnapshot;
}

export interface LinkEncryption {
  readonly isEncrypted: boolean;
  /** Such as `TLSv1.3`. */
  readonly version: string | undefined;
}

/** What the connected role may do beyond reading. */
export interface ExcessSnapshot {
  /** Attributes, such as `SUPERUSER`. */
  readonly attributes: readonly string[];
  /** Predefined roles that may write everywhere or run programs, of which it is a member. */
  readonly powerfulRoles: readonly string[];
  readonly ownsDatabase: boolean;
  /** Tables that are its own, or of a role of which it is a member. */
  readonly ownedTables: readonly TableName[];
  /** Tables that it may write to without owning them. */
  readonly writableTables: readonly WritableTable[];
}

export interface WritableTable extends TableName {
  /** To whom it is granted: the role itself, a role of which it is a member, or `PUBLIC`. */
  readonly grantee: string;
  readonly isPublic: boolean;
}

/** Reads catalogs only, as any role. On PostgreSQL 12 and later. */
export async function inspectOperation(client: pg.ClientBase, slot: string): Promise<OperationSnapshot> {
  const [row] = await readRows<OperationRow>(client, operationQuery);
  const links = await readRows<LinkRow>(client, linksQuery, slot);
  const [excess] = await readRows<ExcessRow>(client, excessQuery);
  const link = (isWorker: boolean): LinkEncryption | undefined => {
    const found = links.find((each) => each.is_worker === isWorker);
    return found && { isEncrypted: found.ssl, version: found.version ?? undefined };
  };
  if (!row || !excess) throw new Error('The server answered a question about itself with nothing');
  return {
    keepLimitBytes: row.keep_limit === null ? undefined : Number(row.keep_limit),
    idleSlotTimeoutSeconds: row.idle_timeout === null ? undefined : Number(row.idle_timeout),
    link: link(false),
    workerLink: link(true),
    excess: {
      attributes: excess.attributes,
      powerfulRoles: excess.powerful_roles,
      ownsDatabase: excess.owns_database,
      ownedTables: excess.owned,
      writableTables: excess.writable.map(({ schema, name, grantee }) => ({
        schema,
        name,
        grantee: grantee ?? 'PUBLIC',
        isPublic: grantee === null,
      })),
    },
  };
}

/** The link of a session, as its server sees it. */
export async function inspectLink(client: pg.ClientBase): Promise<LinkEncryption | undefined> {
  const [row] = await readRows<LinkRow>(client, linksQuery, null);
  return row && { isEncrypted: row.ssl, version: row.version ?? undefined };
}

interface OperationRow {
  readonly keep_limit: string | null;
  readonly idle_timeout: string | null;
}

interface LinkRow {
  readonly is_worker: boolean;
  readonly ssl: boolean;
  readonly version: string | null;
}

interface ExcessRow {
  readonly attributes: readonly string[];
  readonly powerful_roles: readonly string[];
  readonly owns_database: boolean;
  readonly owned: readonly TableName[];
  readonly writable: readonly {
    readonly schema: string;
    readonly name: string;
    readonly grantee: string | null;
  }[];
}

// Units by pg_settings: MB for the one; seconds for the other, where PostgreSQL 18.0 had minutes.
const operationQuery = `
  SELECT (SELECT CASE WHEN setting::bigint < 0 THEN -1 ELSE setting::bigint * 1048576 END
            FROM pg_settings WHERE name = 'max_slot_wal_keep_size')::text AS keep_limit,
         (SELECT setting::bigint * CASE unit WHEN 'min' THEN 60 ELSE 1 END
            FROM pg_settings WHERE name = 'idle_replication_slot_timeout')::text AS idle_timeout`;

/** $1: slot. Of sessions of other roles the view shows nothing but that they are there. */
const linksQuery = `
  SELECT s.pid <> pg_backend_pid() AS is_worker, s.ssl, s.version FROM pg_stat_ssl s
   WHERE s.ssl IS NOT NULL
     AND (s.pid = pg_backend_pid()
          OR s.pid = (SELECT active_pid FROM pg_replication_slots WHERE slot_name = $1))`;

const isUserTable = `c.relkind IN ('r', 'p') AND n.nspname NOT IN ('information_schema', 'bemi', 'bemi_context') AND n.nspname !~ '^pg_'`;

// A superuser may do all of it, and is told of that alone.
const excessQuery = `
  WITH me AS (SELECT * FROM pg_roles WHERE rolname = current_user),
       tables AS MATERIALIZED (
         SELECT c.oid, c.relowner, c.relacl, n.nspname::text AS schema, c.relname::text AS name
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, me
          WHERE NOT me.rolsuper AND ${isUserTable})
  SELECT ARRAY(SELECT a.name FROM me, LATERAL (VALUES ('SUPERUSER', me.rolsuper), ('CREATEROLE', me.rolcreaterole),
                      ('CREATEDB', me.rolcreatedb), ('BYPASSRLS', me.rolbypassrls)) a(name, has)
                WHERE a.has AND (a.name = 'SUPERUSER' OR NOT me.rolsuper)) AS attributes,
         ARRAY(SELECT g.rolname::text FROM pg_roles g, me
                WHERE NOT me.rolsuper AND pg_has_role(me.oid, g.oid, 'MEMBER')
                  AND g.rolname IN ('pg_write_all_data', 'pg_execute_server_program', 'pg_write_server_files', 'rds_superuser')
                ORDER BY 1) AS powerful_roles,
         EXISTS (SELECT FROM pg_database d, me WHERE d.datname = current_database() AND NOT me.rolsuper
                    AND pg_has_role(me.oid, d.datdba, 'MEMBER')) AS owns_database,
         (SELECT coalesce(jsonb_agg(jsonb_build_object('schema', t.schema, 'name', t.name) ORDER BY t.schema, t.name), '[]')
            FROM tables t, me WHERE pg_has_role(me.oid, t.relowner, 'MEMBER')) AS owned,
         (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_object('schema', t.schema, 'name', t.name,
                                      'grantee', CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END)), '[]')
            FROM tables t, me, aclexplode(t.relacl) a
           WHERE a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
             AND NOT pg_has_role(me.oid, t.relowner, 'MEMBER')
             AND (a.grantee = 0 OR pg_has_role(me.oid, a.grantee, 'MEMBER'))) AS writable`;

import type pg from 'pg';
import {
  grantsQuery,
  publicationQuery,
  rolesQuery,
  schemasQuery,
  serverQuery,
  slotQuery,
  systemIdentifierQuery,
  walLsnQuery,
} from './catalog-queries.ts';
import { inspectTables } from './inspect-tables.ts';
import type { ProviderId } from './providers/provider.ts';
import { providerMarkRoles, recogniseProvider } from './providers/recognise.ts';
import { readRows } from './read-rows.ts';
import {
  type NamedRoleSnapshot,
  type Operation,
  oldestVersion,
  type PublicationSnapshot,
  type RoleSnapshot,
  type ServerSnapshot,
  type SlotSnapshot,
  type SourceSnapshot,
} from './source-snapshot.ts';
import type { TableName } from './table-name.ts';

export interface InspectOptions {
  readonly slot: string;
  readonly publication: string;
  /** A role to look at besides the one that is connected, for a plan that shall make it. Default: none. */
  readonly role?: { readonly name: string };
  /** Who runs the server. Default: whoever it shows. */
  readonly provider?: ProviderId;
}

/**
 * Looks at everything that preparing or checking a source depends on. It only reads catalogs, takes no lock
 * on any table, and works with any role that may connect, on PostgreSQL 12 and later. Of an older server it
 * tells what the server is, and nothing of what is in it.
 *
 * @param client - an ordinary (not a replication) connection, outside a transaction that has failed.
 */
export async function inspect(client: pg.ClientBase, options: InspectOptions): Promise<SourceSnapshot> {
  const server = await inspectServer(client, options);
  const roles = await readRows<RoleRow>(client, rolesQuery, options.role?.name ?? null);
  const current = roles.find((row) => row.is_current);
  if (!current) throw new Error('pg_roles does not show the role that is connected');
  const named = roles.find((row) => row.name === options.role?.name);
  if (server.version < oldestVersion) {
    const nothing = {
      namedRole: undefined,
      publication: undefined,
      slot: undefined,
      schemas: [],
      tables: [],
    };
    return { server, role: roleSnapshot(current), ...nothing };
  }
  return {
    server,
    role: roleSnapshot(current),
    namedRole: named && (await inspectGrants(client, named)),
    publication: await inspectPublication(client, options.publication),
    slot: await inspectSlot(client, options.slot),
    schemas: (await readRows<{ name: string }>(client, schemasQuery)).map((row) => row.name),
    tables: await inspectTables(client, options.publication, server.version),
  };
}

interface ServerRow {
  readonly version: number;
  readonly version_text: string;
  readonly provider_roles: readonly string[];
  readonly is_aurora: boolean;
  readonly data_directory: string | null;
  readonly database: string;
  readonly encoding: string;
  readonly is_in_recovery: boolean;
  readonly primary_address: string | null;
  readonly wal_level: string;
  readonly max_replication_slots: number;
  readonly used_replication_slots: number;
  readonly max_wal_senders: number;
  readonly used_wal_senders: number;
  readonly may_identify: boolean;
  readonly may_locate: boolean;
}

async function inspectServer(client: pg.ClientBase, options: InspectOptions): Promise<ServerSnapshot> {
  const roles = `{${providerMarkRoles.join(',')}}`;
  const [row] = await readRows<ServerRow>(client, serverQuery, roles);
  if (!row) throw new Error('The server answered a question about itself with nothing');
  const ask = async (text: string) => (await readRows<{ value: string }>(client, text))[0]?.value;
  return {
    version: row.version,
    versionText: row.version_text,
    provider:
      options.provider ??
      recogniseProvider({
        roles: row.provider_roles,
        isAurora: row.is_aurora,
        dataDirectory: row.data_directory ?? undefined,
        host: 'host' in client && typeof client.host === 'string' ? client.host : undefined,
      }),
    database: row.database,
    encoding: row.encoding,
    isInRecovery: row.is_in_recovery,
    primaryAddress: row.primary_address ?? undefined,
    walLevel: row.wal_level,
    maxReplicationSlots: row.max_replication_slots,
    usedReplicationSlots: row.used_replication_slots,
    maxWalSenders: row.max_wal_senders,
    usedWalSenders: row.used_wal_senders,
    systemIdentifier: row.may_identify ? await ask(systemIdentifierQuery) : undefined,
    walLsn: row.may_locate && !row.is_in_recovery ? await ask(walLsnQuery) : undefined,
  };
}

interface RoleRow {
  readonly name: string;
  readonly is_current: boolean;
  readonly is_superuser: boolean;
  readonly can_login: boolean;
  readonly has_replication: boolean;
  readonly provider_roles: readonly string[];
}

function roleSnapshot(row: RoleRow): RoleSnapshot {
  return {
    name: row.name,
    isSuperuser: row.is_superuser,
    canLogin: row.can_login,
    hasReplication: row.has_replication,
    providerRoles: row.provider_roles,
  };
}

interface GrantsRow {
  readonly usable_schemas: readonly string[];
  readonly readable_tables: readonly string[];
  readonly default_privileges: readonly { readonly owner: string; readonly schema: string | null }[];
}

async function inspectGrants(client: pg.ClientBase, role: RoleRow): Promise<NamedRoleSnapshot> {
  const [row] = await readRows<GrantsRow>(client, grantsQuery, role.name);
  return {
    ...roleSnapshot(role),
    usableSchemas: row?.usable_schemas ?? [],
    readableTables: row?.readable_tables ?? [],
    defaultPrivileges: (row?.default_privileges ?? []).map(({ owner, schema }) => ({
      owner,
      schema: schema ?? undefined,
    })),
  };
}

interface PublicationRow {
  readonly publication: {
    readonly pubname: string;
    readonly puballtables: boolean;
    readonly pubinsert: boolean;
    readonly pubupdate: boolean;
    readonly pubdelete: boolean;
    readonly pubtruncate: boolean;
    readonly pubviaroot?: boolean;
    readonly pubgencols?: string;
  };
  readonly filtered: readonly TableName[];
}

async function inspectPublication(
  client: pg.ClientBase,
  name: string,
): Promise<PublicationSnapshot | undefined> {
  const [row] = await readRows<PublicationRow>(client, publicationQuery, name);
  if (!row) return undefined;
  const it = row.publication;
  const operations: [boolean, Operation][] = [
    [it.pubinsert, 'INSERT'],
    [it.pubupdate, 'UPDATE'],
    [it.pubdelete, 'DELETE'],
    [it.pubtruncate, 'TRUNCATE'],
  ];
  return {
    name: it.pubname,
    isForAllTables: it.puballtables,
    operations: operations.filter(([isSent]) => isSent).map(([, operation]) => operation),
    isViaPartitionRoot: it.pubviaroot,
    publishesGeneratedColumns: it.pubgencols === undefined ? undefined : it.pubgencols === 's',
    filteredTables: row.filtered,
  };
}

interface SlotRow {
  readonly slot: {
    readonly slot_name: string;
    readonly plugin: string | null;
    readonly database: string | null;
    readonly temporary: boolean;
    readonly active_pid: number | null;
    readonly restart_lsn: string | null;
    readonly confirmed_flush_lsn: string | null;
    readonly wal_status?: string | null;
    readonly safe_wal_size?: number | null;
    readonly conflicting?: boolean | null;
    readonly invalidation_reason?: string | null;
    readonly failover?: boolean;
  };
}

async function inspectSlot(client: pg.ClientBase, name: string): Promise<SlotSnapshot | undefined> {
  const [row] = await readRows<SlotRow>(client, slotQuery, name);
  if (!row) return undefined;
  const it = row.slot;
  return {
    name: it.slot_name,
    plugin: it.plugin ?? undefined,
    database: it.database ?? undefined,
    isTemporary: it.temporary,
    activePid: it.active_pid ?? undefined,
    restartLsn: it.restart_lsn ?? undefined,
    confirmedFlushLsn: it.confirmed_flush_lsn ?? undefined,
    walStatus: it.wal_status ?? undefined,
    safeWalBytes: it.safe_wal_size ?? undefined,
    invalidationReason: it.invalidation_reason ?? (it.conflicting ? 'conflict' : undefined),
    isFailover: it.failover,
  };
}

import type { ProviderId } from './providers/provider.ts';
import type { TableName } from './table-name.ts';

/**
 * What a source database was like at one moment: everything that {@link plan} and {@link check} decide by.
 * Plain data, so that it can be stored, sent to the dashboard, and written by hand in tests. `undefined`
 * stands for what this role may not see, or what this version of PostgreSQL does not have.
 */
export interface SourceSnapshot {
  readonly server: ServerSnapshot;
  /** The role that looked. */
  readonly role: RoleSnapshot;
  /** The role that was asked for by name, if any; `undefined` also when it doesn't exist. */
  readonly namedRole: NamedRoleSnapshot | undefined;
  readonly publication: PublicationSnapshot | undefined;
  readonly slot: SlotSnapshot | undefined;
  /** Schemas whose tables are the application's, by name: no catalogs, no schema of an extension, not `bemi`. */
  readonly schemas: readonly string[];
  /** Tables and partitioned tables, by schema and name; also those of extensions' schemas, not those of `bemi`. */
  readonly tables: readonly TableSnapshot[];
}

/** The oldest PostgreSQL that changes are recorded from, as `server_version_num` counts. */
export const oldestVersion = 120_000;

export interface ServerSnapshot {
  /** As `server_version_num` counts: 150018 is 15.18. */
  readonly version: number;
  readonly versionText: string;
  /** Who runs the server, as far as it shows; decides which fixes are printed. */
  readonly provider: ProviderId;
  readonly database: string;
  readonly encoding: string;
  readonly isInRecovery: boolean;
  /** Where a standby receives from, as `host:port`. */
  readonly primaryAddress: string | undefined;
  readonly walLevel: string;
  readonly maxReplicationSlots: number;
  readonly usedReplicationSlots: number;
  readonly maxWalSenders: number;
  readonly usedWalSenders: number;
  readonly systemIdentifier: string | undefined;
  /** Where WAL is written now, as `16/B374D848`. */
  readonly walLsn: string | undefined;
}

export interface RoleSnapshot {
  readonly name: string;
  readonly isSuperuser: boolean;
  readonly canLogin: boolean;
  /** The attribute REPLICATION. AWS gives `rds_replication` instead: see {@link mayReplicate}. */
  readonly hasReplication: boolean;
  /** Membership, direct or not, in the roles by which hosting providers give rights. */
  readonly providerRoles: readonly string[];
}

export interface NamedRoleSnapshot extends RoleSnapshot {
  /** Schemas that it may use. */
  readonly usableSchemas: readonly string[];
  /** Oids of the tables that it may read. */
  readonly readableTables: readonly string[];
  /** Whose future tables it will be able to read; `schema` is `undefined` for those of every schema. */
  readonly defaultPrivileges: readonly { readonly owner: string; readonly schema: string | undefined }[];
}

export interface PublicationSnapshot {
  readonly name: string;
  readonly isForAllTables: boolean;
  /** Operations that are sent, in the order INSERT, UPDATE, DELETE, TRUNCATE. */
  readonly operations: readonly Operation[];
  /** `publish_via_partition_root`; `undefined` before PostgreSQL 13. */
  readonly isViaPartitionRoot: boolean | undefined;
  /** `publish_generated_columns = stored`; `undefined` before PostgreSQL 18. */
  readonly publishesGeneratedColumns: boolean | undefined;
  /** Tables whose rows are filtered by a WHERE clause. */
  readonly filteredTables: readonly TableName[];
}

export type Operation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';

export interface SlotSnapshot {
  readonly name: string;
  /** `undefined` for a physical slot. */
  readonly plugin: string | undefined;
  /** `undefined` for a physical slot. */
  readonly database: string | undefined;
  readonly isTemporary: boolean;
  /** The backend that streams from it now. */
  readonly activePid: number | undefined;
  readonly restartLsn: string | undefined;
  readonly confirmedFlushLsn: string | undefined;
  /** `reserved`, `extended`, `unreserved` or `lost`; PostgreSQL 13+. */
  readonly walStatus: string | undefined;
  /** WAL that can still be written before the slot is lost; `undefined` where nothing limits it. */
  readonly safeWalBytes: number | undefined;
  /** Why the server invalidated it, such as `wal_removed`; PostgreSQL 17+ (16 only tells of conflicts). */
  readonly invalidationReason: string | undefined;
  /** Whether it is synchronised to standbys; PostgreSQL 17+. */
  readonly isFailover: boolean | undefined;
}

export interface TableSnapshot extends TableName {
  readonly oid: string;
  readonly kind: 'table' | 'partitioned';
  /** Oids of the tables that it is a partition or an inheritance child of. */
  readonly parents: readonly string[];
  readonly owner: string;
  /** Whether the role that looked may alter it: it is a superuser, or (a member of) the owner. */
  readonly isAlterable: boolean;
  /** The extension that made it, if one did. */
  readonly extension: string | undefined;
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly identity: 'default' | 'full' | 'index' | 'nothing';
  /** Whether it has a primary key that can be its identity (a deferrable one can't). */
  readonly hasPrimaryKey: boolean;
  /** Whether identity `index` still has its index: once that is dropped, it is as good as `nothing`. */
  readonly hasIdentityIndex: boolean;
  /** `undefined` when it was never analysed. */
  readonly rowEstimate: number | undefined;
  readonly storedGeneratedColumns: readonly string[];
  readonly virtualGeneratedColumns: readonly string[];
  /** Whether a publication lists it with only some of its columns. */
  readonly hasColumnList: boolean;
  /** Whether another publication sends it without its generated columns (PostgreSQL 18+). */
  readonly isElsewhereWithoutGenerated: boolean;
  /** Whether the publication names it. */
  readonly isListed: boolean;
  /** Whether the publication sends its rows. Never true of a partitioned table: its partitions are sent. */
  readonly isPublished: boolean;
}

/** Whether a role may stream from a slot and make one. */
export function mayReplicate(role: RoleSnapshot): boolean {
  return role.isSuperuser || role.hasReplication || role.providerRoles.includes('rds_replication');
}

/** What is wanted of a source. */
export interface Wanted {
  readonly slot: string;
  readonly publication: string;
  /** `all`, also those made later, or a selection. A selected partitioned table includes its partitions. */
  readonly tables: 'all' | readonly TableName[];
  /** REPLICA IDENTITY of tables with a primary key: the whole old row, or its key alone. Default: `full`. */
  readonly identity?: 'full' | 'default';
  /** A role for the worker that {@link plan} makes if it is missing. Default: none. */
  readonly role?: WantedRole;
}

export interface WantedRole {
  readonly name: string;
  /** For a role that has yet to be made. An existing role keeps its own. */
  readonly password?: string;
}

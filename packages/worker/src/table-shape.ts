import { createHash } from 'node:crypto';
import type { Lsn } from '@bemi-db/replication/lsn';
import type { Relation, ReplicaIdentity } from '@bemi-db/replication/pgoutput';
import type { DdlTableState } from './ddl-event.ts';
import type { PeriodRules } from './rules/rules-in-force.ts';
import type { TableTreatment } from './rules/table-treatment.ts';
import { holdsComposite, holdsJson, type TypeEncoding } from './type-encoding.ts';
import type { ValueEncoding } from './value-json.ts';

/** What the catalog says now, about a table that the stream has described and about its types. */
export interface SourceCatalog {
  /** `undefined` when the table is gone. */
  readonly table: CatalogTable | undefined;
  /** Encodings by type OID. Types that are gone are missing. */
  readonly encodings: ReadonlyMap<number, TypeEncoding>;
  /** What `format_type` prints, by `typeOid:modifier`. Types that are gone are missing. */
  readonly typeNames: ReadonlyMap<string, string>;
}

/** A table as the catalog describes it now. */
export interface CatalogTable {
  /** Of a partition: the partitioned table at the root. */
  readonly root: { readonly schema: string; readonly table: string } | undefined;
  /** As published: without dropped and unpublished columns, in order. */
  readonly columns: readonly CatalogColumn[];
  /** Names of the primary key's columns, in the key's order; empty without one. */
  readonly primaryKey: readonly string[];
  /** The source's position before its types were read. */
  readonly asOfLsn: Lsn;
  /** A deferrable key can't be the replica identity, so the stream says nothing of it. */
  readonly isKeyDeferrable: boolean;
}

export interface CatalogColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly typeModifier: number;
}

export interface ShapeColumn {
  readonly name: string;
  readonly type: string;
  readonly typeOid: number;
  readonly typeModifier: number;
  readonly encoding: TypeEncoding;
}

/** What a `relation` event records of a table: enough to read its rows without the source. Format version 1. */
export interface ShapeDocument {
  readonly version: 1;
  readonly oid: number;
  readonly schema: string;
  readonly table: string;
  readonly rootSchema: string;
  readonly rootTable: string;
  readonly replicaIdentity: ReplicaIdentity;
  /** Names, in the key's order. */
  readonly primaryKey: readonly string[];
  readonly columns: readonly ShapeColumn[];
}

/** A table's shape, made ready for writing rows. */
export interface TableShape {
  readonly document: ShapeDocument;
  /** Canonical JSON: members in the order of the interface, no white space. */
  readonly text: string;
  readonly encodings: readonly ValueEncoding[];
  /** `"name":` in UTF-8, for each column. */
  readonly memberNames: readonly Buffer[];
  /** Positions of the primary key's columns, in the key's order. */
  readonly keyColumns: readonly number[];
  /** By column, where one of the key is redacted: what takes the place of its text. */
  readonly keyReplaced: readonly (((bytes: Uint8Array) => Uint8Array) | undefined)[] | undefined;
  /** Columns of the replica identity: what an old row of kind `key` holds. */
  readonly isIdentityColumn: readonly boolean[];
  readonly mayHoldPoison: boolean;
  /** A column is of type "char", or of a type of users' own, which may be made of it. */
  readonly mayHoldChar: boolean;
  readonly holdsComposites: boolean;
  /** The number that changes refer to; given when the shape is first needed. */
  relation: number | undefined;
  /** What rules mean for it, and which. */
  treatment: TableTreatment | undefined;
  treatedBy: PeriodRules | undefined;
}

/**
 * Puts together what the stream says of a table and what the catalog adds. The stream is right about the row at
 * hand, its table's name included; the catalog may have moved on. Of the table it only counts where its columns are
 * the same; of a type it knows no less than the table's last shape, unless the type is gone.
 */
export function shapeDocument(
  relation: Relation,
  catalog: SourceCatalog,
  last: ShapeDocument | undefined,
  told?: DdlTableState,
): ShapeDocument {
  const columns = relation.columns.map(({ name, typeOid, typeModifier }): ShapeColumn => {
    const known = last?.columns.find((column) => column.typeOid === typeOid);
    const isSameModifier = known?.typeModifier === typeModifier;
    return {
      name,
      type:
        catalog.typeNames.get(`${typeOid}:${typeModifier}`) ??
        (isSameModifier ? known.type : String(typeOid)),
      typeOid,
      typeModifier,
      encoding: catalog.encodings.get(typeOid) ?? known?.encoding ?? 'text',
    };
  });
  const root = catalog.table ? catalog.table.root : last && lastRoot(last);
  return {
    version: 1,
    oid: relation.oid,
    schema: relation.schema,
    table: relation.name,
    rootSchema: root?.schema ?? relation.schema,
    rootTable: root?.table ?? relation.name,
    replicaIdentity: relation.replicaIdentity,
    primaryKey: primaryKey(relation, catalog.table, last, told),
    columns,
  };
}

function lastRoot(last: ShapeDocument): CatalogTable['root'] {
  const isPartition = last.rootSchema !== last.schema || last.rootTable !== last.table;
  return isPartition ? { schema: last.rootSchema, table: last.rootTable } : undefined;
}

/**
 * The primary key comes, in this order, from: the key flags of the Relation message where the identity isn't FULL
 * (with FULL every column is flagged); the catalog, if its columns match; a DDL message, if its columns match; the table's
 * last shape; the catalog again, if the columns of its key are there. So a table that was new, altered or dropped in a
 * backlog has its key. A DDL message is not asked first: any role can send one, and nobody may give a table another key.
 */
function primaryKey(
  relation: Relation,
  catalog: CatalogTable | undefined,
  last: ShapeDocument | undefined,
  told: DdlTableState | undefined,
): readonly string[] {
  const flagged = relation.columns.filter((column) => column.isKey).map((column) => column.name);
  if (relation.replicaIdentity !== 'full' && flagged.length > 0) {
    // The flags don't tell the key's order.
    const ordered = [catalog?.primaryKey, last?.primaryKey].find(
      (names) => names?.length === flagged.length && names.every((name) => flagged.includes(name)),
    );
    return ordered ?? flagged;
  }
  // With the default identity, no flags mean that there was no key then, or one that is deferrable.
  if (relation.replicaIdentity === 'default' && !catalog?.isKeyDeferrable) return [];
  const ofCatalog = catalog && hasKeyColumns(relation, catalog) ? catalog.primaryKey : [];
  if (catalog && isSameColumns(relation, catalog)) return ofCatalog;
  const names = new Set(relation.columns.map((column) => column.name));
  if (told && isToldColumns(relation, told) && told.primaryKey.every((name) => names.has(name)))
    return told.primaryKey;
  const isLastKnown = last && last.primaryKey.length > 0;
  return isLastKnown && last.primaryKey.every((name) => names.has(name)) ? last.primaryKey : ofCatalog;
}

/** Whether the stream has the columns of the catalog's key. A generated column may be the key and still not be sent. */
function hasKeyColumns(relation: Relation, { columns, primaryKey }: CatalogTable): boolean {
  return primaryKey.every((name) => {
    const [then, now] = [relation.columns, columns].map((all) => all.find((column) => column.name === name));
    return then !== undefined && then.typeOid === now?.typeOid;
  });
}

/** Which generated columns are published, a DDL message doesn't say. */
function isToldColumns(relation: Relation, { columns }: DdlTableState): boolean {
  const streamed = new Set(relation.columns.map((column) => column.name));
  const published = columns.filter((column) => !column.isGenerated || streamed.has(column.name));
  return hasColumns(relation, published);
}

function isSameColumns(relation: Relation, catalog: CatalogTable): boolean {
  return hasColumns(relation, catalog.columns);
}

function hasColumns(relation: Relation, columns: readonly CatalogColumn[]): boolean {
  return (
    relation.columns.length === columns.length &&
    relation.columns.every((column, i) => {
      const other = columns[i]!;
      return (
        column.name === other.name &&
        column.typeOid === other.typeOid &&
        column.typeModifier === other.typeModifier
      );
    })
  );
}

/** "char" and its arrays. */
const charOids = [18, 1002];
/** Where the oids of what users make begin. */
const firstUserOid = 16_384;

export function tableShape(document: ShapeDocument, relation: Relation): TableShape {
  const encodings = document.columns.map((column) => column.encoding);
  const positions = new Map(document.columns.map((column, i) => [column.name, i]));
  return {
    document,
    text: JSON.stringify(document),
    encodings,
    memberNames: document.columns.map((column) => Buffer.from(`${JSON.stringify(column.name)}:`)),
    keyColumns: document.primaryKey.map((name) => positions.get(name)!),
    isIdentityColumn: relation.columns.map((column) => column.isKey),
    mayHoldChar: document.columns.some(
      ({ typeOid }) => charOids.includes(typeOid) || typeOid >= firstUserOid,
    ),
    mayHoldPoison: encodings.some(holdsJson),
    holdsComposites: encodings.some(holdsComposite),
    keyReplaced: undefined,
    relation: undefined,
    treatment: undefined,
    treatedBy: undefined,
  };
}

/** The SHA-256 of a shape's document, by which equal shapes are recognised. */
export function shapeDigest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

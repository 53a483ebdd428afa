import { createHash } from 'node:crypto';
import { formatLsn, type Lsn } from '@bemi-db/replication/lsn';
import type { ContextText } from './context-text.ts';

/** Prefix of the messages in which event triggers of the source say what DDL did (docs/spec/ddl-message.md). */
export const DDL_PREFIX = '_bemi_ddl';

/** A hundred tables of a thousand columns have less. */
const maximumBytes = 16 * 1024 * 1024;
/** What of a message that can't be read is kept. */
const keptBytes = 65_536;

/** Where a message stands. */
export interface DdlPlace {
  readonly xid: number;
  readonly commitLsn: Lsn;
  readonly lsn: Lsn;
  /** As a change would have it there. */
  readonly contextNumber: number;
}

export interface DdlContent {
  /** JSON text of an object; `undefined` where it is none. */
  readonly text: Buffer | undefined;
  /** Why it can't be read. */
  readonly reason: string | undefined;
  /** What the message is about, as far as it has the form that it should: it may come from anybody. */
  readonly tables: readonly DdlTable[];
  /** It is about nothing but tables of one schema. */
  readonly onlySchema: string | undefined;
  readonly namesPublication: boolean;
}

/** A table as a message describes it after the command, or names it when it is dropped. */
export interface DdlTable {
  readonly schema: string;
  readonly name: string;
  readonly oid: number;
  /** Absent where the table is gone. */
  readonly state: DdlTableState | undefined;
}

export interface DdlTableState {
  /** Names, in the key's order. */
  readonly primaryKey: readonly string[];
  readonly columns: readonly {
    readonly name: string;
    readonly typeOid: number;
    readonly typeModifier: number;
    readonly isGenerated: boolean;
  }[];
}

/** Reads a message's content. Never throws: whatever is wrong with it, its transaction is recorded. */
export function readDdl(content: Buffer, read: (content: Buffer) => ContextText): DdlContent {
  const nothing = { text: undefined, tables: [], onlySchema: undefined, namesPublication: false };
  if (content.length > maximumBytes) return { ...nothing, reason: 'too-large' };
  const { text, reason } = read(content);
  if (text === undefined) return { ...nothing, reason };
  const objects = member(JSON.parse(text.toString()), 'objects');
  const list = Array.isArray(objects) ? objects : [];
  const schemas = new Set(list.map((object) => member(object, 'schema')));
  const [schema] = schemas;
  return {
    text,
    reason: undefined,
    tables: list.flatMap((object) => tableOf(object) ?? []),
    onlySchema: schemas.size === 1 && typeof schema === 'string' ? schema : undefined,
    namesPublication: list.some((object) => String(member(object, 'kind')).startsWith('publication')),
  };
}

/** The payload of a `ddl` event (docs/spec/log.md). */
export function ddlPayload(content: Buffer, { text, reason }: DdlContent, place: DdlPlace): string {
  const { xid, contextNumber } = place;
  const head = { xid, commitLsn: formatLsn(place.commitLsn), lsn: formatLsn(place.lsn), contextNumber };
  // As it came: what is hashed is what the source said, in its order and with its white space.
  if (text) return `${JSON.stringify(head).slice(0, -1)},"message":${text.toString()}}`;
  return JSON.stringify({
    ...head,
    refused: reason,
    size: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.subarray(0, keptBytes).toString('base64'),
  });
}

function tableOf(object: unknown): DdlTable | undefined {
  const [kind, schema, name, oid] = ['kind', 'schema', 'name', 'oid'].map((key) => member(object, key));
  if (kind === 'table column') return tableOf(member(object, 'table'));
  if (kind !== 'table' && kind !== 'partitioned table') return undefined;
  if (typeof schema !== 'string' || typeof name !== 'string' || !isOid(oid)) return undefined;
  return { schema, name, oid, state: stateOf(object) };
}

function stateOf(object: unknown): DdlTableState | undefined {
  const key = member(object, 'primary_key');
  const columns = member(object, 'columns');
  if (!isNames(key) || !Array.isArray(columns)) return undefined;
  const read = columns.flatMap((column: unknown) => {
    const [name, typeOid, typeModifier] = ['name', 'type_oid', 'type_modifier'].map((each) =>
      member(column, each),
    );
    if (typeof name !== 'string' || !isOid(typeOid) || typeof typeModifier !== 'number') return [];
    return [{ name, typeOid, typeModifier, isGenerated: member(column, 'generated') !== undefined }];
  });
  return read.length === columns.length ? { primaryKey: key, columns: read } : undefined;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function isOid(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value > 0 && value < 2 ** 32;
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

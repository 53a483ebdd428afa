import { createHash } from 'node:crypto';

/** What of a source is recorded, and how, at one moment: docs/spec/coverage.md. The order of members is the format's. */
export interface Coverage {
  /** Position of the source when it was looked at. */
  readonly asOfLsn: string;
  readonly source: CoverageSource;
  /** By oid. */
  readonly tables: ReadonlyMap<number, CoverageTable>;
}

export interface CoverageSource {
  /** `null` where it does not exist. */
  readonly publication: {
    readonly name: string;
    readonly allTables: boolean;
    readonly operations: readonly string[];
    readonly viaRoot: boolean;
  } | null;
  readonly eventTriggers: {
    /** Whether their functions are those that this version makes. */
    readonly functions: 'none' | 'current' | 'other';
    /** State by name: `always`, `origin`, `replica`, `disabled`. */
    readonly triggers: Readonly<Record<string, string>>;
    /** The setting `event_triggers`. */
    readonly on: boolean;
  };
  /** Sequence of the `config` event whose rules are in force; `null` without one. */
  readonly rules: number | null;
}

export interface CoverageTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned table';
  readonly persistence: 'permanent' | 'unlogged';
  readonly identity: 'default' | 'full' | 'index' | 'nothing';
  /** Whether the identity tells which row it is: without, UPDATE and DELETE of a published table fail. */
  readonly identifies: boolean;
  readonly published: boolean;
  /** Only rows that satisfy this are sent. */
  readonly filter?: string;
  /** Columns that are not sent, generated ones included. */
  readonly withheld?: readonly string[];
  readonly columns: number;
  /** What the rules in force mean for it; absent where nothing. */
  readonly rules?: {
    /** Only where it is `false`: nothing of it is recorded. */
    readonly recorded?: false;
    /** Columns: a change in which only these differ is not recorded. */
    readonly ignored?: readonly string[];
    /** Columns, with how they are redacted. */
    readonly redacted?: Readonly<Record<string, string>>;
  };
  /** Of their names and types: the first 16 bytes of a SHA-256, in hexadecimal. */
  readonly shape: string;
}

/** Why not all that happens to a table's rows is recorded; empty where all is. */
export function missingFrom(table: CoverageTable, source: CoverageSource): readonly string[] {
  if (table.kind === 'partitioned table') return []; // its rows are in its partitions
  if (table.rules?.recorded === false) return ['excluded by rules: nothing is recorded'];
  if (table.persistence === 'unlogged') return ['UNLOGGED: nothing is recorded'];
  if (!table.published || !source.publication) return ['not published: nothing is recorded'];
  const { operations } = source.publication;
  const unsent = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'].filter(
    (operation) => !operations.includes(operation),
  );
  const missing: string[] = [];
  if (unsent.length > 0) missing.push(`${unsent.join(', ')} not published`);
  if (table.filter !== undefined) missing.push(`only rows where ${table.filter}`);
  if (table.withheld) missing.push(`without ${table.withheld.join(', ')}`);
  const { ignored = [], redacted = {} } = table.rules ?? {};
  if (ignored.length > 0) missing.push(`no change of ${ignored.join(', ')} alone`);
  const hidden = Object.entries(redacted).map(([column, by]) => `${column} (${by})`);
  if (hidden.length > 0) missing.push(`redacted: ${hidden.join(', ')}`);
  if (!table.identifies) missing.push('no replica identity: UPDATE and DELETE fail');
  else if (table.identity !== 'full') missing.push('of old rows only the key');
  return missing;
}

/** SHA-256 in hexadecimal of the source and of each table, by ascending oid, each as JSON and a line feed. */
export function coverageDigest({ source, tables }: Pick<Coverage, 'source' | 'tables'>): string {
  const hash = createHash('sha256').update(`${JSON.stringify(source)}\n`);
  for (const table of byOid(tables)) hash.update(`${JSON.stringify(table)}\n`);
  return hash.digest('hex');
}

export function byOid(tables: ReadonlyMap<number, CoverageTable>): readonly CoverageTable[] {
  return [...tables.values()].sort((a, b) => a.oid - b.oid);
}

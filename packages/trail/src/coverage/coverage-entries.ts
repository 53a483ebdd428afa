import {
  byOid,
  type Coverage,
  type CoverageSource,
  type CoverageTable,
  coverageDigest,
} from './coverage-document.ts';

/** Payload of a `coverage` event: docs/spec/coverage.md. */
export type CoveragePayload =
  | {
      readonly event: 'whole' | 'changed';
      readonly asOfLsn: string;
      readonly digest: string;
      /** Of what it changes. Only in `changed`. */
      readonly previous?: string;
      /** From 1. */
      readonly part: number;
      readonly parts: number;
      /** Only in the first part; in `changed` where it is another one. */
      readonly source?: CoverageSource;
      readonly tables: readonly CoverageTable[];
      /** Oids of tables that are gone. Only in the first part of `changed`, where there are some. */
      readonly gone?: readonly number[];
    }
  | {
      readonly event: 'unchanged';
      readonly asOfLsn: string;
      readonly digest: string;
      readonly since: number;
    };

/** So many tables at most stand in an entry. */
const tablesInPart = 500;

/**
 * What has to be said of a coverage after another one: the whole of it, or what has changed; nothing where nothing has.
 *
 * @param previous - what the log says so far
 */
export function coveragePayloads(previous: Coverage | undefined, next: Coverage): readonly CoveragePayload[] {
  const digest = coverageDigest(next);
  const { asOfLsn, source } = next;
  if (!previous) return inParts({ event: 'whole', asOfLsn, digest }, { source }, byOid(next.tables));
  const before = coverageDigest(previous);
  if (before === digest) return [];
  const tables = byOid(next.tables).filter(
    (table) => JSON.stringify(table) !== JSON.stringify(previous.tables.get(table.oid)),
  );
  const gone = byOid(previous.tables).flatMap(({ oid }) => (next.tables.has(oid) ? [] : [oid]));
  if (tables.length + gone.length > Math.max(next.tables.size / 2, 10))
    return inParts({ event: 'whole', asOfLsn, digest }, { source }, byOid(next.tables));
  const isOther = JSON.stringify(source) !== JSON.stringify(previous.source);
  const first = { ...(isOther ? { source } : {}), ...(gone.length > 0 ? { gone } : {}) };
  return inParts({ event: 'changed', asOfLsn, digest, previous: before }, first, tables);
}

type Head = Pick<
  Exclude<CoveragePayload, { event: 'unchanged' }>,
  'event' | 'asOfLsn' | 'digest' | 'previous'
>;

function inParts(
  head: Head,
  first: { readonly source?: CoverageSource; readonly gone?: readonly number[] },
  tables: readonly CoverageTable[],
): readonly CoveragePayload[] {
  const parts = Math.max(1, Math.ceil(tables.length / tablesInPart));
  return Array.from({ length: parts }, (_, i) => ({
    ...head,
    ...{ part: i + 1, parts },
    ...(i === 0 ? first : {}),
    tables: tables.slice(i * tablesInPart, (i + 1) * tablesInPart),
  }));
}

/** What a log's `coverage` events say, put together. */
export class CoverageReader {
  #source: CoverageSource | undefined;
  #tables = new Map<number, CoverageTable>();
  #asOfLsn = '0/0';
  #digest: string | undefined;
  #partsLeft = 0;
  #since = -1;
  /** Entries since the last `whole`. */
  changes = 0;

  /** In the order of the log, from the first part of a `whole` on. */
  add(payload: CoveragePayload, sequence: number): void {
    this.#asOfLsn = payload.asOfLsn;
    if (payload.event === 'unchanged') return;
    if (payload.part === 1) {
      if (payload.event === 'whole') this.#tables.clear();
      this.#since = sequence;
      this.#partsLeft = payload.parts;
      this.#digest = payload.digest;
      this.changes = payload.event === 'whole' ? 0 : this.changes + 1;
    }
    this.#partsLeft--;
    if (payload.source) this.#source = payload.source;
    for (const oid of payload.gone ?? []) this.#tables.delete(oid);
    for (const table of payload.tables) this.#tables.set(table.oid, table);
  }

  /** `undefined` where the entries are not whole, or are not what they say. */
  get coverage(): Coverage | undefined {
    if (!this.#source || this.#partsLeft !== 0) return undefined;
    const coverage = { asOfLsn: this.#asOfLsn, source: this.#source, tables: this.#tables };
    return coverageDigest(coverage) === this.#digest ? coverage : undefined;
  }

  /** Sequence of the entry since which it is so. */
  get since(): number {
    return this.#since;
  }
}

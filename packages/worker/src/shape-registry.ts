import type { Lsn } from '@bemi-db/replication/lsn';
import type { Relation } from '@bemi-db/replication/pgoutput';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import type { RecordedRelation } from '@bemi-db/trail/relations';
import type { DdlTable } from './ddl-event.ts';
import {
  type ShapeDocument,
  type SourceCatalog,
  shapeDigest,
  shapeDocument,
  type TableShape,
  tableShape,
} from './table-shape.ts';

const none: readonly Relation[] = [];

/** So many tables are remembered as DDL left them: a description may have a thousand columns. */
const mostTold = 1_000;

/** The tables of a stream: what each looks like now, and under which number the log knows that shape. */
export class ShapeRegistry {
  readonly #numbers = new Map<string, number>();
  readonly #lastDocuments = new Map<number, string>();
  readonly #current = new Map<number, TableShape | 'ignored'>();
  /** What the source's event triggers said last of tables, by OID, until the stream describes them. */
  readonly #told = new Map<number, DdlTable>();
  /** Tables with columns of composite types, and up to where it is known that the types are as they were read. */
  readonly #composed = new Map<number, { readonly relation: Relation; readonly asOfLsn: Lsn }>();

  constructor(recorded: readonly RecordedRelation[]) {
    for (const { relation, oid, document } of recorded) {
      this.#numbers.set(shapeDigest(document), relation);
      this.#lastDocuments.set(oid, document);
    }
  }

  ignore(relation: Relation): void {
    this.#composed.delete(relation.oid);
    this.#current.set(relation.oid, 'ignored');
  }

  /** What DDL has made of a table. Any role may say so: it counts only where nobody else knows. */
  told(table: DdlTable): void {
    this.#told.delete(table.oid);
    if (!table.state) return;
    this.#told.set(table.oid, table);
    if (this.#told.size <= mostTold) return;
    const [oldest] = this.#told.keys();
    this.#told.delete(oldest!);
  }

  /** Takes the shape that a table has from here on. */
  define(relation: Relation, catalog: SourceCatalog): void {
    const lastText = this.#lastDocuments.get(relation.oid);
    const last = lastText === undefined ? undefined : (JSON.parse(lastText) as ShapeDocument);
    const shape = tableShape(
      shapeDocument(relation, catalog, last, this.#told.get(relation.oid)?.state),
      relation,
    );
    this.#lastDocuments.set(relation.oid, shape.text);
    this.#current.set(relation.oid, shape);
    this.#composed.delete(relation.oid);
    if (shape.holdsComposites && catalog.table)
      this.#composed.set(relation.oid, { relation, asOfLsn: catalog.table.asOfLsn });
  }

  /**
   * Tables to look up again before a transaction that commits at this position. ALTER TYPE changes the text of a
   * composite value, and the stream says nothing of it. While a backlog is read, one look-up serves all of it.
   */
  staleAt(finalLsn: Lsn): readonly Relation[] {
    if (this.#composed.size === 0) return none;
    const stale: Relation[] = [];
    for (const { relation, asOfLsn } of this.#composed.values())
      if (asOfLsn <= finalLsn) stale.push(relation);
    return stale;
  }

  get(oid: number): TableShape | 'ignored' | undefined {
    return this.#current.get(oid);
  }

  /** The number of a shape, the sequence of the event that describes it. A shape that the log does not know yet becomes an event first. */
  number(shape: TableShape, batch: EntryBatch, atMicros: bigint): number {
    if (shape.relation !== undefined) return shape.relation;
    const digest = shapeDigest(shape.text);
    let number = this.#numbers.get(digest);
    if (number === undefined) {
      const { oid, schema, table, rootSchema, rootTable } = shape.document;
      number = batch.relation({ oid, schema, table, rootSchema, rootTable, document: shape.text }, atMicros);
      this.#numbers.set(digest, number);
    }
    shape.relation = number;
    return number;
  }
}

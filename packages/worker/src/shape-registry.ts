import type { Relation } from '@bemi-db/replication/pgoutput';
import type { EntryBatch } from '@bemi-db/trail/append/entry-batch';
import type { RecordedRelation } from '@bemi-db/trail/relations';
import {
  type ShapeDocument,
  type SourceCatalog,
  shapeDigest,
  shapeDocument,
  type TableShape,
  tableShape,
} from './table-shape.ts';

/** Schema of the trail itself, which is never recorded when source and audit database are one. */
const ownSchema = 'bemi';

/** The tables of a stream: what each looks like now, and under which number the log knows that shape. */
export class ShapeRegistry {
  readonly #numbers = new Map<string, number>();
  readonly #lastDocuments = new Map<number, string>();
  readonly #current = new Map<number, TableShape | 'ignored'>();
  #nextNumber = 0;

  constructor(recorded: readonly RecordedRelation[]) {
    for (const { relation, oid, document } of recorded) {
      this.#numbers.set(shapeDigest(document), relation);
      this.#lastDocuments.set(oid, document);
      this.#nextNumber = Math.max(this.#nextNumber, relation + 1);
    }
  }

  static isIgnored(relation: Relation): boolean {
    return relation.schema === ownSchema;
  }

  ignore(relation: Relation): void {
    this.#current.set(relation.oid, 'ignored');
  }

  /** Takes the shape that a table has from here on. */
  define(relation: Relation, catalog: SourceCatalog): void {
    const lastText = this.#lastDocuments.get(relation.oid);
    const last = lastText === undefined ? undefined : (JSON.parse(lastText) as ShapeDocument);
    const shape = tableShape(shapeDocument(relation, catalog, last), relation);
    this.#lastDocuments.set(relation.oid, shape.text);
    this.#current.set(relation.oid, shape);
  }

  get(oid: number): TableShape | 'ignored' | undefined {
    return this.#current.get(oid);
  }

  /** The number of a shape. A shape that the log does not know yet becomes an event first. */
  number(shape: TableShape, batch: EntryBatch, atMicros: bigint): number {
    if (shape.relation !== undefined) return shape.relation;
    const digest = shapeDigest(shape.text);
    let number = this.#numbers.get(digest);
    if (number === undefined) {
      number = this.#nextNumber++;
      const { oid, schema, table, rootSchema, rootTable } = shape.document;
      batch.relation(
        { relation: number, oid, schema, table, rootSchema, rootTable, document: shape.text },
        atMicros,
      );
      this.#numbers.set(digest, number);
    }
    shape.relation = number;
    return number;
  }
}

import { zeroLsn } from '@bemi-db/replication/lsn';
import type { Relation, ReplicaIdentity } from '@bemi-db/replication/pgoutput';
import { describe, expect, test } from 'vitest';
import { type CatalogTable, type SourceCatalog, shapeDocument, tableShape } from './table-shape.ts';

/** A table of integers; names of key columns end in `!`. */
function relation(columns: readonly string[], replicaIdentity: ReplicaIdentity = 'default'): Relation {
  return {
    oid: 1,
    schema: 's',
    name: 't',
    replicaIdentity,
    columns: columns.map((column) => ({
      name: column.replace('!', ''),
      isKey: replicaIdentity === 'full' || column.endsWith('!'),
      typeOid: 23,
      typeModifier: -1,
    })),
  };
}

function catalog(
  columns: readonly string[],
  primaryKey: readonly string[],
  more: Partial<CatalogTable> = {},
): SourceCatalog {
  return {
    table: {
      root: undefined,
      columns: columns.map((name) => ({ name, typeOid: 23, typeModifier: -1 })),
      primaryKey,
      isKeyDeferrable: false,
      asOfLsn: zeroLsn,
      ...more,
    },
    encodings: new Map([[23, 'number']]),
    typeNames: new Map([['23:-1', 'integer']]),
  };
}

const gone: SourceCatalog = { table: undefined, encodings: new Map(), typeNames: new Map() };

describe('where the primary key comes from', () => {
  const key = (...given: Parameters<typeof shapeDocument>) => shapeDocument(...given).primaryKey;
  const last = shapeDocument(relation(['a', 'b'], 'full'), catalog(['a', 'b'], ['b', 'a']), undefined);

  test('the flags of the stream, in the order that the catalog or the last shape knows', () => {
    const flagged = relation(['a!', 'b!', 'c']);
    expect(key(flagged, catalog(['a', 'b', 'c'], ['b', 'a']), undefined)).toEqual(['b', 'a']);
    expect(key(flagged, catalog(['a', 'b', 'c'], ['c']), last)).toEqual(['b', 'a']);
    expect(key(flagged, catalog(['a', 'b', 'c'], ['a']), undefined)).toEqual(['a', 'b']);
    expect(key(flagged, gone, undefined)).toEqual(['a', 'b']);
  });

  test('with FULL the catalog where its columns are the same, else the last shape, else the catalog if it can', () => {
    expect(key(relation(['a', 'b'], 'full'), catalog(['a', 'b'], ['a']), last)).toEqual(['a']);
    expect(key(relation(['a', 'b'], 'full'), catalog(['a', 'b', 'c'], ['a']), last)).toEqual(['b', 'a']);
    expect(key(relation(['a', 'x'], 'full'), catalog(['a', 'b'], ['a']), last)).toEqual(['a']);
    expect(key(relation(['a', 'x'], 'full'), catalog(['a', 'b'], ['b']), last)).toEqual([]);
    const other = { columns: [{ name: 'a', typeOid: 20, typeModifier: -1 }] };
    expect(key(relation(['a', 'x'], 'full'), catalog([], ['a'], other), undefined)).toEqual([]);
    const keyless = shapeDocument(relation(['a', 'b'], 'full'), gone, undefined);
    expect(key(relation(['a', 'b'], 'full'), catalog(['a', 'b', 'c'], ['a']), keyless)).toEqual(['a']);
    expect(key(relation(['a', 'b'], 'full'), gone, undefined)).toEqual([]);
  });

  test('no flags: no key, unless it is deferrable or the identity is another', () => {
    expect(key(relation(['a', 'b']), catalog(['a', 'b'], ['a']), last)).toEqual([]);
    expect(key(relation(['a', 'b']), catalog(['a', 'b'], ['a'], { isKeyDeferrable: true }), last)).toEqual([
      'a',
    ]);
    expect(key(relation(['a', 'b'], 'nothing'), catalog(['a', 'b'], ['a']), last)).toEqual(['a']);
    expect(key(relation(['a', 'b'], 'index'), gone, last)).toEqual(['b', 'a']);
  });
});

test('the name is the one that the stream gives; the root is that of a partition', () => {
  const root = { schema: 'p', table: 'root' };
  const partition = shapeDocument(relation(['a']), catalog(['a'], [], { root }), undefined);
  expect([partition.rootSchema, partition.rootTable]).toEqual(['p', 'root']);
  const renamed = { ...relation(['a']), name: 'renamed' };
  expect(shapeDocument(renamed, gone, partition)).toMatchObject({ table: 'renamed', rootTable: 'root' });
  const plain = shapeDocument(relation(['a']), catalog(['a'], []), partition);
  expect([plain.rootSchema, plain.rootTable]).toEqual(['s', 't']);
  expect(shapeDocument(renamed, gone, plain)).toMatchObject({ table: 'renamed', rootTable: 'renamed' });
});

test('what the catalog has forgotten the last shape knows', () => {
  const last = shapeDocument(relation(['a']), catalog(['a'], []), undefined);
  expect(shapeDocument(relation(['a', 'b']), gone, last).columns).toEqual(
    ['a', 'b'].map((name) => ({ name, type: 'integer', typeOid: 23, typeModifier: -1, encoding: 'number' })),
  );
  expect(shapeDocument(relation(['a']), gone, undefined).columns).toMatchObject([
    { type: '23', encoding: 'text' },
  ]);
});

test('equal shapes have equal texts, members in one order', () => {
  const described = relation(['b!', 'a']);
  const shape = tableShape(shapeDocument(described, catalog(['b', 'a'], ['b']), undefined), described);
  expect(shape.text).toBe(
    '{"version":1,"oid":1,"schema":"s","table":"t","rootSchema":"s","rootTable":"t","replicaIdentity":"default",' +
      '"primaryKey":["b"],"columns":[{"name":"b","type":"integer","typeOid":23,"typeModifier":-1,"encoding":"number"},' +
      '{"name":"a","type":"integer","typeOid":23,"typeModifier":-1,"encoding":"number"}]}',
  );
  expect(shape.keyColumns).toEqual([0]);
  expect(shape.isIdentityColumn).toEqual([true, false]);
});

import { readFileSync } from 'node:fs';
import { parseLsn } from '@bemi-db/replication/lsn';
import { expect, test } from 'vitest';
import { contextReader } from './context-text.ts';
import { DDL_PREFIX, ddlPayload, readDdl } from './ddl-event.ts';

interface DdlVector {
  readonly name: string;
  readonly encoding: string;
  readonly content?: string;
  readonly contentHex?: string;
  readonly payload: string;
}

const file = new URL('../../../docs/spec/vectors/ddl-message.json', import.meta.url);
const { prefix, read } = JSON.parse(readFileSync(file, 'utf8')) as { prefix: string; read: DdlVector[] };
const place = { xid: 7, commitLsn: parseLsn('0/20'), lsn: parseLsn('0/10'), contextNumber: 0 };

test.each(read.map((vector) => [vector.name, vector] as const))(
  '%s',
  (_name, { encoding, content = '', contentHex, payload }) => {
    const bytes = contentHex === undefined ? Buffer.from(content) : Buffer.from(contentHex, 'hex');
    expect(ddlPayload(bytes, readDdl(bytes, contextReader(encoding)), place)).toBe(payload);
    expect(prefix).toBe(DDL_PREFIX);
  },
);

test('what a message says of tables is taken where it has the form that it should', () => {
  const column = { name: 'id', type: 'integer', type_oid: 23, type_modifier: -1 };
  const table = { kind: 'table', schema: 's', name: 't', oid: 5, primary_key: ['id'], columns: [column] };
  const tables = (...objects: unknown[]) =>
    readDdl(Buffer.from(JSON.stringify({ objects })), contextReader('UTF8')).tables;
  const columns = [{ name: 'id', typeOid: 23, typeModifier: -1, isGenerated: false }];
  const named = { schema: 's', name: 't', oid: 5 };
  const whole = { ...named, state: { primaryKey: ['id'], columns } };
  expect(tables(table, { kind: 'table column', identity: 's.t.mood', table })).toEqual([whole, whole]);
  expect(tables({ ...table, columns: [{ ...column, type_oid: 'x' }] })).toEqual([
    { ...named, state: undefined },
  ]);
  expect(
    tables({ ...table, oid: 2 ** 32 }, { ...table, schema: 1 }, null, 'table', [table], {
      ...table,
      kind: 'view',
    }),
  ).toEqual([]);
});

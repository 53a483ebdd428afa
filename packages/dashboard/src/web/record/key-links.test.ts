import { expect, test } from 'vitest';
import { guessedReference, guessedReferrers } from './key-links.ts';

test('keys of other tables are guessed by the name of their column', () => {
  const table = (name: string, columns: string[], key = ['id']) => ({
    schema: 'public',
    table: name,
    columns,
    key,
    plain: columns,
  });
  const patient = table('Patient', ['id', 'paid']);
  const companies = table('companies', ['id', 'parent_id']);
  const visit = table('visit', ['id', 'patient_id', 'companyId', 'userUuid']);
  const line = table('line', ['order', 'n', 'patientId'], ['order', 'n']);
  const tables = [patient, companies, visit, line, table('id', ['id'])];
  const guess = (column: string) => guessedReference(column, tables)?.table;
  expect(guess('patient_id')).toBe('Patient');
  expect(guess('patientID')).toBe('Patient');
  expect(guess('companyId')).toBe('companies');
  expect(['id', 'paid', 'visitid', 'lineId', 'nobody_id', 'patient'].map(guess)).toEqual(
    Array(6).fill(undefined),
  );
  expect(guessedReference('patient_id', [...tables, { ...patient, schema: 'old' }])).toBeUndefined();
  expect(guessedReferrers(patient, tables).map(({ table, column }) => `${table.table}.${column}`)).toEqual([
    'visit.patient_id',
    'line.patientId',
  ]);
});

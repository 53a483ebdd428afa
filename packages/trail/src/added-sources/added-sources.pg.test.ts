import { createDatabase } from '@bemi-db/test-kit/database';
import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { setUpRoles, testTrailRoles } from '../../test/trail-roles.ts';
import { readAccesses } from '../access/read-accesses.ts';
import { addSource, changeSource, readAddedSources, readSealedUrl, removeSource } from './added-sources.ts';

const source = {
  ...{ name: 'clinic', host: 'db.internal', port: 5432, database: 'app', role: 'bemi' },
  ...{ slot: 'bemi_slot', publication: 'bemi_publication', bufferSize: 1_000, retentionDays: 2_192 },
};
const changer = { via: 'dashboard', by: { id: 'u1', email: 'ada@clinic.example' } } as const;

test('the writer adds, changes and removes sources; each leaves a trace; the reader sees no secret', async () => {
  const database = await createDatabase();
  expect(await readAddedSources(await database.connect())).toEqual([]);
  const wanted = testTrailRoles(database);
  await setUpRoles(database.url, wanted);
  const as = async (role: string, password: string) => {
    const client = new pg.Client(database.urlAs(role, password));
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };
  const writer = await as(wanted.writer, wanted.writerPassword);
  const reader = await as(wanted.reader, wanted.readerPassword);

  await addSource(writer, source, Buffer.from('sealed'), changer);
  const [added] = await readAddedSources(reader);
  expect(added).toMatchObject({ ...source, revision: 1, addedBy: 'ada@clinic.example' });
  expect(await readSealedUrl(writer, added!.id)).toEqual(Buffer.from('sealed'));
  await expect(readSealedUrl(reader, added!.id)).rejects.toMatchObject({ code: '42501' });
  await reader.query('SET default_transaction_read_only = off');
  const refused = async (act: Promise<unknown>, reason: string) =>
    expect(await act.catch((error: { readonly reason?: string }) => error.reason)).toBe(reason);
  await refused(removeSource(reader, 'clinic', changer), 'denied');
  await refused(addSource(writer, source, Buffer.from('x'), changer), 'name-taken');
  for (const wrong of [
    { name: 'bemi:access' },
    { name: 'a/b' },
    { name: 'a\u0007' },
    { name: 'x', slot: 'Slot' },
    { name: 'x', publication: '' },
    { name: 'x', bufferSize: 0 },
    { name: 'x', retentionDays: 40_000 },
  ])
    expect(
      await addSource(writer, { ...source, ...wrong }, Buffer.from('x'), changer).catch(() => 'refused'),
      JSON.stringify(wrong),
    ).toBe('refused');

  await changeSource(writer, 'clinic', { slot: 'other' }, undefined, changer);
  const target = { host: 'db2', port: 5433, database: 'app2', role: 'bemi2' };
  await changeSource(writer, 'clinic', {}, { target, sealed: Buffer.from('anew') }, changer);
  const [changed] = await readAddedSources(reader);
  expect(changed).toMatchObject({ ...source, ...target, slot: 'other', revision: 3 });
  expect(await readSealedUrl(writer, added!.id)).toEqual(Buffer.from('anew'));
  // Another host with the old password would give it away.
  await expect(
    writer.query('SELECT bemi.change_source($1, $2, NULL, $3)', [
      'clinic',
      { host: 'evil.example' },
      { via: 'dashboard' },
    ]),
  ).rejects.toMatchObject({ code: 'BM003' });
  await refused(changeSource(writer, 'unknown', { slot: 'x' }, undefined, changer), 'unknown');

  await removeSource(writer, 'clinic', changer);
  expect(await readAddedSources(reader)).toEqual([]);
  expect(await readSealedUrl(writer, added!.id)).toBeUndefined();
  await refused(removeSource(writer, 'clinic', changer), 'unknown');
  await addSource(writer, source, Buffer.from('again'), changer);
  const accesses = await readAccesses(reader, { what: ['source'], limit: 10 });
  expect(accesses.map(({ action, subject, by, role }) => [action, subject, by.email, role])).toEqual(
    ['added', 'removed', 'connection-changed', 'changed', 'added'].map((action) => [
      action,
      'clinic',
      'ada@clinic.example',
      wanted.writer,
    ]),
  );
});

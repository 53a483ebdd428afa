import { createDatabase } from '@bemi-db/test-kit/database';
import { expect, it, onTestFinished } from 'vitest';
import { type DecodedWal, decodeWal } from '../../../packages/context/test/decoded-wal.ts';
import { migrate } from './migrate.ts';
import { startClinic } from './server.ts';

const HEADERS = {
  'Content-Type': 'application/json',
  'User-Agent': 'Ward Tablet/1.0',
  'X-Forwarded-For': '203.0.113.7',
  'X-User-Id': 'u-nurse',
  'X-User-Role': 'NURSE',
  'X-Access-Reason': 'Intake',
};
const CONTEXT = {
  userId: 'u-nurse',
  role: 'NURSE',
  ipAddress: '203.0.113.7',
  userAgent: 'Ward Tablet/1.0',
  accessReason: 'Intake',
};
const PATIENT = { firstName: 'Ann', lastName: 'Lee', dateOfBirth: '1990-01-31', gender: 'FEMALE' };

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

interface Bench {
  readonly wal: DecodedWal;
  ask(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer>;
}

async function bench(audit = true): Promise<Bench> {
  const database = await createDatabase();
  await migrate(`${database.url}?schema=public`);
  await migrate(database.url);
  const wal = await decodeWal(database);
  const clinic = await startClinic({ databaseUrl: `${database.url}?schema=public`, audit });
  onTestFinished(() => clinic.close());
  return {
    wal,
    async ask(method, path, body, headers) {
      const init = { method, headers: { ...HEADERS, ...headers } };
      const response = await fetch(clinic.url + path, body ? { ...init, body: JSON.stringify(body) } : init);
      const text = await response.text();
      return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
    },
  };
}

it('records who asked, from where and why, with each change', async () => {
  const { ask, wal } = await bench();
  const user = await ask('POST', '/users', { name: 'Dr. Ng', email: 'ng@clinic.example', role: 'PHYSICIAN' });
  const patient = await ask('POST', '/patients', PATIENT);
  expect([user.status, patient.status]).toEqual([201, 201]);
  const { id } = patient.body;
  const updated = await ask('PATCH', `/patients/${id}`, { firstName: 'Anna', allergies: ['Latex'] });
  expect(updated.body).toMatchObject({ firstName: 'Anna', lastName: 'Lee', allergies: ['Latex'] });
  const prescription = await ask('POST', '/prescriptions', {
    medication: 'Ibuprofen',
    dosage: '20 mg/ml',
    quantity: '0.15',
    patientId: id,
    prescriberId: user.body['id'],
  });
  const prescriptionPath = `/prescriptions/${prescription.body['id']}`;
  const cancelled = await ask('POST', `${prescriptionPath}/cancel`, { reason: 'Side effects' });
  expect(cancelled.body).toMatchObject({ status: 'CANCELLED', quantity: '0.15' });
  expect(await ask('GET', `/patients/${id}`)).toMatchObject({ status: 200, body: { firstName: 'Anna' } });
  expect(await ask('DELETE', `/patients/${id}`)).toEqual({ status: 204, body: {} });

  expect(await wal.take()).toEqual([
    [{ ...CONTEXT, endpoint: 'POST /users' }, `INSERT ${user.body['id']}`],
    [{ ...CONTEXT, endpoint: 'POST /patients' }, `INSERT ${id}`],
    [{ ...CONTEXT, endpoint: `PATCH /patients/${id}` }, `UPDATE ${id}`],
    [{ ...CONTEXT, endpoint: 'POST /prescriptions' }, `INSERT ${prescription.body['id']}`],
    [
      { ...CONTEXT, endpoint: `POST ${prescriptionPath}/cancel`, accessReason: 'Side effects' },
      `UPDATE ${prescription.body['id']}`,
    ],
    [{ ...CONTEXT, endpoint: `DELETE /patients/${id}` }, `DELETE ${id}`, `DELETE ${prescription.body['id']}`],
  ]);
});

it('keeps a hundred concurrent requests apart', async () => {
  const { ask, wal } = await bench();
  const users = Array.from({ length: 100 }, (_, index) => `u${index}`);
  const created = await Promise.all(
    users.map(async (userId) => {
      const { body } = await ask(
        'POST',
        '/patients',
        { ...PATIENT, lastName: userId },
        { 'X-User-Id': userId },
      );
      return [userId, `INSERT ${body['id']}`];
    }),
  );
  const recorded = (await wal.take()).map(([context, change]) => [Object(context).userId, change]);
  expect(new Set(recorded)).toEqual(new Set(created));
});

it('says what is wrong with a request, and goes on', async () => {
  const { ask, wal } = await bench();
  const answers = [
    await ask('POST', '/patients', { ...PATIENT, gender: 'CAT' }),
    await ask('POST', '/patients', { ...PATIENT, dateOfBirth: '1990-13-01' }),
    await ask('PATCH', '/patients/nobody', { firstName: 'X' }),
    await ask('POST', '/patients', { ...PATIENT, email: 'a@mail.example' }),
    await ask('POST', '/patients', { ...PATIENT, email: 'a@mail.example' }),
    await ask('GET', '/patients/nobody'),
    await ask('GET', '/nowhere').catch(() => ({ status: 404 })),
  ];
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 404, 201, 409, 404, 404]);
  // The update of nobody wrote nothing, hence no context either.
  expect((await wal.take()).map((transaction) => transaction.length)).toEqual([2]);
});

it('writes no context where the audit is off', async () => {
  const { ask, wal } = await bench(false);
  const { body } = await ask('POST', '/patients', PATIENT);
  expect(await wal.take()).toEqual([[`INSERT ${body['id']}`]]);
});

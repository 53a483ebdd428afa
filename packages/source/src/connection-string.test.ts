import { expect, test } from 'vitest';
import { ConnectionStringError, describeTarget, parseConnectionString } from './connection-string.ts';

const parse = (url: string) => parseConnectionString(url, 'BEMI_DATABASE_URL');

test('takes the URL of the guide, and drops what would make a walsender of it', () => {
  const { config, target } = parse(
    'postgres://bemi_replication:s3cret@postgres:5432/holi_protocol?replication=database',
  );
  expect(config.connectionString).toBe('postgres://bemi_replication:s3cret@postgres:5432/holi_protocol');
  expect(target).toEqual({
    setting: 'BEMI_DATABASE_URL',
    role: 'bemi_replication',
    host: 'postgres',
    port: 5432,
    database: 'holi_protocol',
    hasPassword: true,
    usesTls: false,
  });
  expect(describeTarget(target)).toBe('bemi_replication@postgres:5432/holi_protocol');
});

test('drops the schema of Prisma and keeps every other parameter', () => {
  const { config, target } = parse('postgresql://a:b@h/d?schema=public&sslmode=require&application_name=x');
  const parameters = new URL(config.connectionString ?? '').searchParams;
  expect(parameters.has('schema')).toBe(false);
  expect(parameters.get('sslmode')).toBe('require');
  expect(parameters.get('application_name')).toBe('x');
  expect(target.usesTls).toBe(true);
});

test.each([
  ['require', { rejectUnauthorized: false }],
  ['prefer', { rejectUnauthorized: false }],
  ['no-verify', { rejectUnauthorized: false }],
  ['verify-full', {}],
])('sslmode=%s means what it means to libpq', async (mode, expected) => {
  const { config } = parse(`postgres://a:b@h/d?sslmode=${mode}`);
  const { default: pg } = await import('pg');
  expect(new pg.Client(config).ssl).toMatchObject(expected);
  if (mode === 'verify-full') expect(new pg.Client(config).ssl).not.toHaveProperty('rejectUnauthorized');
});

test('decodes role, host and database where they are shown', () => {
  const { target } = parse('postgres://ro%40le:p%2Fw@[::1]:5433/na%20me');
  expect(describeTarget(target)).toBe('ro@le@[::1]:5433/na me');
});

test('a Unix socket needs no host', () => {
  expect(parse('postgres://me:pw@/app?host=/run/postgresql').target).toMatchObject({
    role: 'me',
    host: '/run/postgresql',
    database: 'app',
  });
  expect(parse('postgres:///app?host=/run/postgresql&user=me').target).toMatchObject({
    role: 'me',
    host: '/run/postgresql',
    database: 'app',
  });
});

test('hosts of AWS are verified by the authorities of AWS, without a file', () => {
  const host = 'app.c9akciq32.eu-west-1.rds.amazonaws.com';
  const { config, target } = parse(`postgres://u:p%40w@${host}/d?sslmode=verify-full`);
  expect(config).toMatchObject({ host, user: 'u', password: 'p@w', database: 'd' });
  expect((config.ssl as { ca: string[] }).ca.length).toBeGreaterThan(50);
  expect(config.ssl).not.toHaveProperty('rejectUnauthorized');
  expect(config.ssl).not.toHaveProperty('checkServerIdentity');
  expect(target).toMatchObject({ host, usesTls: true, hasPassword: true });
  expect(parse(`postgres://u@${host}/d?sslmode=verify-ca`).config.ssl).toHaveProperty('checkServerIdentity');
  // Nobody else's host, and not where encryption alone is asked for.
  expect(parse('postgres://u@db.example.com/d?sslmode=verify-full').config.ssl).toBeUndefined();
  expect(parse(`postgres://u@${host}/d?sslmode=require`).config.ssl).toBeUndefined();
});

test('what is left out is what psql would take', () => {
  const { target } = parse('postgres://me@db');
  expect(target).toMatchObject({ role: 'me', database: 'me', port: 5432, hasPassword: false });
  expect(parse('postgres://db/app').target.role).not.toBe('');
});

test.each([
  ['', 'is empty'],
  ['mysql://root:hunter2@h/d', 'is not a PostgreSQL URL: it does not begin with postgres://'],
  ['host=h password=hunter2', 'is not a PostgreSQL URL: it does not begin with postgres://'],
  ['postgres://u:hunter2#x@h/d', 'is not a valid URL'],
  ['postgres://u:hunter2/x@h/d', 'is not a valid URL'],
  ['postgres://u:1/hunter2@h/d', 'is not a valid URL'],
  ['postgres://u:1?hunter2@h/d', 'is not a valid URL'],
  ['postgres://u:1#hunter2@h/d', 'is not a valid URL'],
  ['postgres://u:hunter2@h:99999999/d', 'is not a valid URL'],
  ['postgres://u:hunter2@h/d?sslmode=alow', 'has an sslmode that is not supported'],
  ['postgres://u:hunter2@h/d?sslmode=verify-ca', 'cannot be used: sslmode=verify-ca needs sslrootcert'],
  ['postgres://u:hunter2@h/d?sslrootcert=/no/such/ca.pem', 'cannot be used: ENOENT /no/such/ca.pem'],
])('refuses %s without showing the password', (url, problem) => {
  let error: unknown;
  try {
    parse(url);
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(ConnectionStringError);
  const refused = error as ConnectionStringError;
  expect(refused.message).toContain(`BEMI_DATABASE_URL ${problem}`);
  expect(refused.fix).not.toBe('');
  expect(`${refused.stack} ${refused.fix} ${JSON.stringify(refused)}`).not.toContain('hunter2');
});

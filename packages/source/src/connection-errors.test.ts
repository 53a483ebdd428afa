import { expect, test } from 'vitest';
import type { ConnectionAttempt, ConnectionPhase } from './connection-attempt.ts';
import { explainConnectionError } from './connection-errors.ts';
import { ConnectionStringError, parseConnectionString } from './connection-string.ts';
import { problem } from './finding.ts';

const { target } = parseConnectionString('postgres://bemi:hunter2@db:5432/app', 'BEMI_DATABASE_URL');
const attempt = (phase: ConnectionPhase, more: Partial<ConnectionAttempt> = {}): ConnectionAttempt => ({
  database: 'source',
  phase,
  target,
  slot: 'bemi_slot',
  publication: 'bemi_publication',
  ...more,
});
const serverError = (code: string, routine = '') =>
  Object.assign(new Error('translated, with hunter2'), { code, severity: 'FATAL', routine });
const systemError = (code: string) => Object.assign(new Error('x'), { code, syscall: 'connect' });

test.each<[string, string, ConnectionPhase, string]>([
  ['28P01', 'auth_failed', 'connect', 'password'],
  ['28000', 'ClientAuthentication', 'connect', 'not-admitted'],
  ['28000', 'InitializeSessionUserId', 'connect', 'role'],
  ['3D000', 'InitPostgres', 'connect', 'no-database'],
  ['42501', 'InitPostgres', 'connect', 'privilege'],
  ['42501', 'InitPostgres', 'connect-replication', 'role'],
  ['42501', 'aclcheck_error', 'create-publication', 'publication'],
  ['42501', 'CheckSlotPermissions', 'create-slot', 'role'],
  ['42704', 'ReplicationSlotAcquire', 'start-replication', 'slot'],
  ['42704', 'get_publication_oid', 'stream', 'publication'],
  ['53300', 'InitProcess', 'connect', 'too-many-connections'],
  ['53300', 'InitProcess', 'connect-replication', 'too-many-connections'],
  ['53400', 'ReplicationSlotCreate', 'create-slot', 'free-slots'],
  ['53100', '', 'write', 'resources'],
  ['55000', 'CheckLogicalDecodingRequirements', 'start-replication', 'wal-level'],
  ['55000', 'CreateDecodingContext', 'start-replication', 'prerequisite'],
  ['55006', 'ReplicationSlotAcquire', 'start-replication', 'slot-in-use'],
  ['57P01', 'ProcessInterrupts', 'stream', 'interrupted'],
  ['57P03', 'ProcessStartupPacket', 'connect', 'starting-up'],
  ['08006', '', 'stream', 'interrupted'],
  ['25006', '', 'create-publication', 'primary'],
  ['XX000', 'whatever', 'write', 'server-error'],
])('SQLSTATE %s of %s while %s is %s, and is tried again', (state, routine, phase, code) => {
  const explained = explainConnectionError(serverError(state, routine), attempt(phase));
  expect(explained).toMatchObject({ code, retry: true });
  expect(explained.message).toContain(`(bemi@db:5432/app, SQLSTATE ${state})`);
  expect(explained.fix).not.toBe('');
  expect(JSON.stringify(explained)).not.toContain('hunter2');
});

test('WAL that is gone does not come back', () => {
  expect(explainConnectionError(serverError('58P01'), attempt('stream')).retry).toBe(false);
});

test('the fixes are those of the guide, on RDS those of RDS', () => {
  const fix = (more?: Partial<ConnectionAttempt>) =>
    explainConnectionError(serverError('42501'), attempt('connect-replication', more)).fix;
  expect(fix()).toContain('ALTER USER "bemi" WITH REPLICATION;');
  expect(fix({ provider: 'aws-rds' })).toContain('GRANT rds_replication TO "bemi";');
});

test.each([
  ['app.c9akciq32.eu-west-1.rds.amazonaws.com', 'security group and VPC'],
  ['db.abc.supabase.co', 'IPv6'],
  ['app.postgres.database.azure.com', 'firewall rule'],
])('%s cannot be reached: what is to be looked at there', (host, hint) => {
  const { target } = parseConnectionString(`postgres://bemi:x@${host}/app`, 'BEMI_DATABASE_URL');
  const error = Object.assign(new Error('connect'), { code: 'ETIMEDOUT', syscall: 'connect' });
  expect(explainConnectionError(error, { database: 'source', phase: 'connect', target }).fix).toContain(hint);
});

test('what check found explains better than the error does', () => {
  const findings = [problem('failure', 'slot', 'It is of another database', 'of x', 'Use another one.')];
  const explained = explainConnectionError(
    serverError('55000', 'CreateDecodingContext'),
    attempt('start-replication', { findings }),
  );
  expect(explained).toMatchObject({ code: 'slot', fix: 'Use another one.', retry: true });
});

test.each([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'EPIPE',
  'EMFILE',
])('%s is an unreachable server, tried again', (code) => {
  const explained = explainConnectionError(systemError(code), attempt('connect'));
  expect(explained).toMatchObject({ code: 'unreachable', retry: true });
  expect(explained.message).toContain(code);
});

test('of a name with several addresses, the first failure is told', () => {
  const error = new AggregateError([systemError('ECONNREFUSED'), systemError('ENETUNREACH')]);
  expect(explainConnectionError(error, attempt('connect')).message).toContain('ECONNREFUSED');
});

test.each(['CERT_HAS_EXPIRED', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])(
  '%s is about TLS',
  (code) => {
    const error = Object.assign(new Error('x'), { code });
    expect(explainConnectionError(error, attempt('connect'))).toMatchObject({ code: 'tls', retry: true });
  },
);

test('a plain error of the driver is silence: TLS is suspected where TLS was asked for', () => {
  const error = new Error('The server does not support SSL connections');
  const tls = parseConnectionString('postgres://a:b@db/app?sslmode=require', 'BEMI_DATABASE_URL').target;
  expect(explainConnectionError(error, attempt('connect', { target: tls })).code).toBe('tls');
  expect(explainConnectionError(error, attempt('connect')).code).toBe('no-answer');
  expect(explainConnectionError(error, attempt('stream')).code).toBe('interrupted');
});

test('a missing password is named', () => {
  const bare = parseConnectionString('postgres://a@db/app', 'BEMI_DESTINATION_URL').target;
  const explained = explainConnectionError(
    new Error('SASL: …'),
    attempt('connect', { database: 'audit', target: bare }),
  );
  expect(explained.fix).toContain('BEMI_DESTINATION_URL has no password');
});

test('configuration and defects are not cured by waiting', () => {
  const malformed = new ConnectionStringError('BEMI_DATABASE_URL', 'is not a valid URL', 'Write it so.');
  expect(explainConnectionError(malformed, attempt('connect'))).toMatchObject({
    code: 'connection-string',
    fix: 'Write it so.',
    retry: false,
  });
  const defect = explainConnectionError(new TypeError('hunter2 is not a function'), attempt('stream'));
  expect(defect).toMatchObject({ code: 'unexpected', retry: false });
  expect(JSON.stringify(defect)).not.toContain('hunter2');
});

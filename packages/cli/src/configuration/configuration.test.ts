import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bemiFolder, makeBemiFolder, writeSecretFile } from './bemi-folder.ts';
import { loadConfiguration, requireDatabaseUrl } from './configuration.ts';

function project(workerEnvironment?: string) {
  const path = mkdtempSync(join(tmpdir(), 'bemi-configuration-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const folder = bemiFolder(path);
  if (workerEnvironment !== undefined) {
    mkdirSync(folder.path);
    writeFileSync(folder.workerEnvironment, workerEnvironment);
  }
  return folder;
}

test('defaults', () => {
  expect(loadConfiguration({ environment: {}, folder: project() })).toMatchObject({
    databaseUrl: undefined,
    slot: 'bemi_slot',
    publication: 'bemi_publication',
    logLevel: 'info',
    bufferSize: 1000,
    retentionDays: 2192,
    maximumRowBytes: 67_108_864,
    host: '127.0.0.1',
    port: 4000,
  });
});

test('flags before environment before file; set to nothing is not set', () => {
  const configuration = loadConfiguration({
    flags: { BEMI_PORT: { text: '1', setWith: '--port' }, BEMI_HOST: undefined },
    environment: { BEMI_PORT: '2', BEMI_BUFFER_SIZE: '20', BEMI_PUBLICATION: '', PATH: '/bin' },
    folder: project('BEMI_PORT=3\nBEMI_BUFFER_SIZE=30\nBEMI_PUBLICATION=bemi\nOTHER=1\n'),
  });
  expect(configuration).toMatchObject({ port: 1, bufferSize: 20, publication: 'bemi' });
  expect(configuration.isSet('BEMI_PORT')).toBe(true);
  expect(configuration.isSet('BEMI_HOST')).toBe(false);
});

const failure = (environment: Record<string, string>, file?: string): unknown => {
  try {
    return loadConfiguration({ environment, folder: project(file) });
  } catch (error) {
    return error;
  }
};

test('a name that is no setting, with the nearest one', () => {
  expect(failure({ BEMI_DATABSE_URL: 'x' })).toMatchObject({
    exitCode: 2,
    code: 'unknown-setting',
    message: 'BEMI_DATABSE_URL (in the environment) is not a setting of Bemi',
    fix: 'Did you mean BEMI_DATABASE_URL? Correct the name, or remove it.',
  });
  expect(failure({}, '\nBEMI_SLOT=x\n')).toMatchObject({
    message: 'BEMI_SLOT (in line 2 of .bemi/worker.env) is not a setting of Bemi',
  });
});

test.each([
  [{ BEMI_PORT: '99999' }, 'BEMI_PORT is "99999", which is not a whole number from 0 to 65535'],
  [
    { BEMI_BUFFER_SIZE: '1e3' },
    'BEMI_BUFFER_SIZE is "1e3", which is not a whole number of changes from 1 to 1000000',
  ],
  [
    { BEMI_RETENTION_DAYS: '-1' },
    'BEMI_RETENTION_DAYS is "-1", which is not a whole number of days from 1 to 36525',
  ],
  [
    { BEMI_MAX_ROW_BYTES: '64MB' },
    'BEMI_MAX_ROW_BYTES is "64MB", which is not a whole number of bytes from 1024',
  ],
  [{ BEMI_LOG_LEVEL: 'loud' }, 'BEMI_LOG_LEVEL is "loud", which is not a log level'],
  [
    { BEMI_REPLICATION_SLOT: 'My-Slot' },
    'BEMI_REPLICATION_SLOT is "My-Slot", which PostgreSQL doesn\'t take',
  ],
  [{ BEMI_PUBLICATION: 'p'.repeat(64) }, 'BEMI_PUBLICATION is longer than the 63 bytes'],
])('%j', (environment, message) => {
  expect(failure(environment)).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(message),
    fix: expect.stringMatching(/./),
  });
});

test('a missing source says how to name one', () => {
  const configuration = loadConfiguration({ environment: {}, folder: project() });
  expect(() => requireDatabaseUrl(configuration)).toThrow('No source database is configured');
});

test('single sign-on is set whole, or not at all', () => {
  expect(failure({ BEMI_OIDC_ISSUER: 'https://login.example.com' })).toMatchObject({
    message: 'Single sign-on is set in part',
  });
  const whole = {
    ...{ BEMI_OIDC_ISSUER: 'https://login.example.com', BEMI_OIDC_CLIENT_ID: 'bemi' },
    BEMI_OIDC_CLIENT_SECRET: 'a secret',
  };
  expect(failure({ ...whole, BEMI_OIDC_DEFAULT_ROLE: 'boss' })).toMatchObject({
    message: 'BEMI_OIDC_DEFAULT_ROLE is "boss", which is not a role',
  });
});

test('what may be secret is read from a file that is named', () => {
  const folder = project('BEMI_ENCRYPTION_KEY=from worker.env\n');
  const url = 'postgres://bemi:secret@h/app';
  const write = (name: string, text: string): string => {
    const path = join(folder.path, name);
    writeFileSync(path, text);
    return path;
  };
  const urlFile = write('url', `${url}\n`);
  const configuration = loadConfiguration({
    environment: {
      BEMI_DATABASE_URL_FILE: urlFile,
      BEMI_DESTINATION_URL: 'postgres://bemi@h/audit',
      BEMI_DESTINATION_PASSWORD_COMMAND: 'aws rds generate-db-auth-token',
      BEMI_ENCRYPTION_KEY_FILE: write('key', 'from the file'),
    },
    folder,
  });
  expect(configuration).toMatchObject({
    databaseUrl: { url, urlFile },
    destinationUrl: {
      url: 'postgres://bemi@h/audit',
      passwordCommand: 'aws rds generate-db-auth-token',
    },
    encryptionKey: 'from the file',
  });
  expect(configuration.isSet('BEMI_DATABASE_URL')).toBe(true);
  expect(failure({ BEMI_SMTP_URL_FILE: write('smtp', 'mail:secret') })).toMatchObject({
    message: 'BEMI_SMTP_URL_FILE is not a URL of the form smtp://… or smtps://…',
  });
  expect(failure({ BEMI_DATABASE_URL: url, BEMI_DATABASE_URL_FILE: urlFile })).toMatchObject({
    exitCode: 2,
    message: 'BEMI_DATABASE_URL and BEMI_DATABASE_URL_FILE are both set',
  });
  expect(failure({ BEMI_SIGNING_KEY_FILE: '/nowhere/key' })).toMatchObject({
    message: "BEMI_SIGNING_KEY_FILE can't be read: /nowhere/key: ENOENT",
  });
  expect(failure({ BEMI_SIGNING_KEY_FILE: write('empty', '\n') })).toMatchObject({
    message: expect.stringContaining('names an empty file'),
  });
  expect(failure({ BEMI_PORT_FILE: urlFile })).toMatchObject({ code: 'unknown-setting' });
});

test('secrets are for their owner alone, and not for version control', () => {
  const folder = project();
  makeBemiFolder(folder);
  writeSecretFile(folder.workerEnvironment, 'BEMI_PORT=1\n');
  expect(statSync(folder.workerEnvironment).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder.path, '.gitignore')).size).toBe(2);
  expect(loadConfiguration({ environment: {}, folder }).port).toBe(1);
});

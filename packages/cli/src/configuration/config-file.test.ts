// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what the file's own references look like
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { bemiFolder } from './bemi-folder.ts';
import { type Configuration, loadConfiguration } from './configuration.ts';

type Given = Partial<Parameters<typeof loadConfiguration>[0]> & { readonly name?: string };

/** The configuration of a folder with this file in it. */
function load(text: string, { name = 'bemi.config.yaml', ...given }: Given = {}): Configuration {
  const path = mkdtempSync(join(tmpdir(), 'bemi-config-file-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  writeFileSync(join(path, name), text, { mode: 0o600 });
  return loadConfiguration({ environment: {}, folder: bemiFolder(path), ...given });
}

const two = `
destination: postgres://w@audit/audit
buffer_size: 500
slot: shared_slot
sources:
  - name: clinic
    url: postgres://bemi:\${BEMI_CLINIC_PASSWORD}@db/clinic
    slot: clinic_slot
    buffer_size: 50
    rules:
      exclude: [audit_*]
  - name: billing
    url: postgres://bemi@db/billing
    password_command: echo $TOKEN
`;
const environment = { BEMI_CLINIC_PASSWORD: 'p' };

test('several sources, with what holds for all and what for each', () => {
  const configuration = load(two, { environment });
  expect(configuration.source).toBeUndefined();
  expect(configuration.databaseUrl).toBeUndefined();
  expect(configuration.destinationUrl).toBe('postgres://w@audit/audit');
  expect(configuration.sources).toMatchObject([
    {
      name: 'clinic',
      databaseUrl: 'postgres://bemi:p@db/clinic',
      slot: 'clinic_slot',
      bufferSize: 50,
      publication: 'bemi_publication',
      rules: { rules: { exclude: ['audit_*'] } },
    },
    {
      name: 'billing',
      databaseUrl: { url: 'postgres://bemi@db/billing', passwordCommand: 'echo $TOKEN' },
      slot: 'shared_slot',
      bufferSize: 500,
      rules: undefined,
    },
  ]);
  const chosen = load(two, { environment, source: 'clinic' });
  expect(chosen).toMatchObject({ bufferSize: 50, slot: 'clinic_slot', source: { name: 'clinic' } });
});

test('JSON; flags before environment before the file before worker.env', () => {
  const json = JSON.stringify({
    port: 1,
    buffer_size: 20,
    log_level: 'warn',
    sources: [{ name: 'a', url: 'postgres://h/a' }],
  });
  const configuration = load(json, {
    name: 'bemi.config.json',
    flags: { BEMI_PORT: { text: '3', setWith: '--port' } },
    environment: { BEMI_PORT: '2', BEMI_BUFFER_SIZE: '30', BEMI_REPLICATION_SLOT: 'of_environment' },
  });
  expect(configuration).toMatchObject({ port: 3, bufferSize: 30, logLevel: 'warn', slot: 'of_environment' });
  expect(configuration.source?.name).toBe('a');

  const path = mkdtempSync(join(tmpdir(), 'bemi-config-file-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const folder = bemiFolder(path);
  mkdirSync(folder.path);
  writeFileSync(folder.workerEnvironment, 'BEMI_DATABASE_URL=postgres://h/old\nBEMI_PORT=9\nBEMI_HOST=h\n');
  writeFileSync(join(path, 'bemi.config.yaml'), 'port: 8\nsources: [{name: new, url: postgres://h/new}]\n');
  expect(loadConfiguration({ environment: {}, folder })).toMatchObject({
    ...{ port: 8, host: 'h', databaseUrl: 'postgres://h/new' },
  });
  // Without sources of its own, the file is no more than settings.
  writeFileSync(join(path, 'bemi.config.yaml'), 'port: 8\n');
  expect(loadConfiguration({ environment: {}, folder })).toMatchObject({
    ...{ port: 8, databaseUrl: 'postgres://h/old', source: { name: undefined } },
  });
});

test.each([
  ['prot: 1', ':1:1: prot is not a setting of Bemi', 'Did you mean port?'],
  ['url: x', ':1:1: url is not a setting of Bemi', /./],
  ['port: loud', 'port (FILE:1:1) is "loud", which is not a whole number', /./],
  ['port: [1]', ':1:1: port is a text or a number', /./],
  ['sources:\n  - name: a', ':2:5: The source a has no url', /./],
  ['sources:\n  - url: x', ':2:5: A source has a name', /./],
  ['sources:\n  - {name: a, url: x, prot: 1}', ':2:23: prot is not a setting that is known here', /./],
  ['sources:\n  - {name: a, url: x, slto: s}', ':2:23: slto', 'Did you mean slot?'],
  ['sources:\n  - {name: a, url: x, port: 1}', ':2:23: port is not a setting that is known here', /./],
  ['sources:\n  - {name: a, url: x}\n  - {name: a, url: y}', ':3:6: There is a source a already', /./],
  [
    'sources:\n  - {name: a, url: x, rules: {exlude: [b]}}',
    ':2:31: exlude is no rule',
    'Did you mean exclude?',
  ],
  ['sources:\n  - {name: a, url: x, rules: {exclude: [b, a.b.c]}}', ':2:44: "a.b.c" is no pattern', /./],
  ['sources: {a: 1}', ':1:1: sources is a list', /./],
  ['host: ${NOWHERE}', ':1:1: host names ${NOWHERE}, which is not set', 'Set NOWHERE; or write $${NOWHERE}'],
  ['a: [', 'bemi.config.yaml:1:5', /YAML/],
])('%j is refused where it is wrong', (text, message, fix) => {
  let thrown: unknown;
  try {
    load(text);
  } catch (error) {
    thrown = error;
  }
  const path = /\S*bemi\.config\.yaml/.exec(String(thrown))?.[0] ?? '';
  const shown = {
    ...(thrown as object),
    message: String((thrown as Error).message).replace(/\(\S*bemi\.config\.yaml/, '(FILE'),
  };
  expect(path).not.toBe('');
  expect(shown).toMatchObject({
    exitCode: 2,
    message: expect.stringContaining(message),
    fix: expect.stringMatching(typeof fix === 'string' ? fix.replace(/[$?{}]/g, '\\$&') : fix),
  });
});

test('a reference that is escaped, and texts that are none', () => {
  const configuration = load('host: $${HOST} $HOST $$\nlog_level:\n');
  expect(configuration).toMatchObject({ host: '${HOST} $HOST $$', logLevel: 'info' });
});

test('secrets that others may read are named, and those that the environment has are none', () => {
  const path = mkdtempSync(join(tmpdir(), 'bemi-config-file-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const file = join(path, 'bemi.config.yaml');
  const text = `signing_key: abc
encryption_key: \${KEY}
destination: {url: "postgres://a@h/d"}
sources:
  - {name: a, url: "postgres://a:secret@h/d"}
  - {name: b, url_file: ${join(path, 'url')}}
`;
  writeFileSync(file, text);
  writeFileSync(join(path, 'url'), 'postgres://b:secret@h/d');
  chmodSync(file, 0o644);
  const exposed = () =>
    loadConfiguration({ environment: { KEY: 'k' }, folder: bemiFolder(path) }).file?.exposed.map(
      (each) => each.split(' ')[0],
    );
  expect(exposed()).toEqual(['signing_key', 'url']);
  chmodSync(file, 0o600);
  expect(exposed()).toEqual([]);
});

test('rules that are there without anything say that everything is recorded', () => {
  const [first, second] = load(
    'sources:\n  - {name: a, url: postgres://h/a, rules: }\n  - {name: b, url: postgres://h/b}\n',
  ).sources;
  expect(first?.rules?.rules).toMatchObject({ exclude: [], redact: {} });
  expect(second?.rules).toBeUndefined();
});

import { expect, test } from 'vitest';
import { hostingIndex, hostingPage } from './hosting-page.ts';
import { providerIds } from './provider.ts';
import { type ProviderMarks, poolerFix, providerOf, recogniseProvider } from './recognise.ts';

const docs = '../../../../docs/hosting';

// `npm run docs:hosting` writes them.
test.each(providerIds)('docs/hosting/%s.md is what the code says', async (id) => {
  await expect(hostingPage(providerOf(id))).toMatchFileSnapshot(`${docs}/${id}.md`);
});

test('docs/hosting/README.md lists them', async () => {
  await expect(hostingIndex(providerIds.map(providerOf))).toMatchFileSnapshot(`${docs}/README.md`);
});

const nothing: ProviderMarks = { roles: [], isAurora: false, dataDirectory: undefined, host: undefined };

test.each<[string, Partial<ProviderMarks>]>([
  ['self-managed', {}],
  ['self-managed', { dataDirectory: '/var/lib/postgresql/16/main', host: '10.0.0.1' }],
  ['docker', { dataDirectory: '/var/lib/postgresql/data', host: 'localhost' }],
  ['docker', { dataDirectory: '/var/lib/postgresql/18/docker' }],
  ['homebrew', { dataDirectory: '/opt/homebrew/var/postgresql@16' }],
  ['aws-rds', { roles: ['rds_superuser'], dataDirectory: '/rdsdbdata/db' }],
  ['aws-rds', { host: 'app.c9akciq32.eu-west-1.rds.amazonaws.com' }],
  ['aws-aurora', { roles: ['rds_superuser'], isAurora: true }],
  ['aws-aurora', { host: 'app.cluster-c9akciq32.eu-west-1.rds.amazonaws.com' }],
  ['google-cloud-sql', { roles: ['cloudsqlsuperuser'] }],
  ['azure', { host: 'app.postgres.database.azure.com' }],
  ['supabase', { roles: ['supabase_admin'], host: 'db.abc.supabase.co' }],
  ['neon', { host: 'ep-cool-1.eu-central-1.aws.neon.tech' }],
  ['render', { host: 'dpg-abc123-a.frankfurt-postgres.render.com' }],
  ['render', { host: 'dpg-abc123-a' }],
  ['digitalocean', { roles: ['doadmin'] }],
  // What the server says of itself goes before the name of a tunnel.
  ['neon', { roles: ['neon_superuser'], host: 'tunnel.rds.amazonaws.com' }],
])('%s is recognised by %o', (id, marks) => {
  expect(recogniseProvider({ ...nothing, ...marks })).toBe(id);
});

test.each([
  ['aws-0-eu-central-1.pooler.supabase.com', 5432],
  ['db.abc.supabase.co', 6543],
  ['ep-cool-1-pooler.eu-central-1.aws.neon.tech', 5432],
  ['app.db.ondigitalocean.com', 25061],
  ['app.postgres.database.azure.com', 6432],
  ['app.proxy-c9akciq32.eu-west-1.rds.amazonaws.com', 5432],
])('%s:%i is a pooler', (host, port) => {
  expect(poolerFix({ host, port })).toMatch(/carries no replication/);
});

test.each([
  ['db.abc.supabase.co', 5432],
  ['ep-cool-1.eu-central-1.aws.neon.tech', 5432],
  ['app.db.ondigitalocean.com', 25060],
  ['localhost', 6432],
])('%s:%i is the server itself', (host, port) => {
  expect(poolerFix({ host, port })).toBeUndefined();
});

test.each(providerIds)('%s says for each setting how it is changed', (id) => {
  for (const [setting, value] of [
    ['wal_level', 'logical'],
    ['max_replication_slots', '5'],
  ] as const) {
    const { advice, commands, sql } = providerOf(id).changeSetting(setting, value, 16);
    expect(advice).not.toBe('');
    expect([advice, ...commands, ...sql].join('\n')).toContain(setting === 'wal_level' ? 'logical' : value);
  }
});

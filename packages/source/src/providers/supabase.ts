import type { Provider } from './provider.ts';

export const supabase: Provider = {
  id: 'supabase',
  title: 'Supabase',
  intro: 'The database of a Supabase project.',
  recognisedBy: {
    note: 'the role `supabase_admin`, or a host that ends with `.supabase.co` or `.supabase.com`',
    roles: ['supabase_admin'],
    host: /\.supabase\.(co|com)$/,
  },
  changeSetting: (setting, value) => ({
    advice:
      setting === 'wal_level'
        ? 'On Supabase wal_level is logical from the start: restart the project (Project settings, General), and if it stays so, ask their support.'
        : `On Supabase, set ${setting} to ${value} by their command line; the database restarts.`,
    commands:
      setting === 'wal_level'
        ? []
        : [
            `npx supabase --experimental --project-ref REF postgres-config update --config ${setting}=${value}`,
          ],
    sql: [],
  }),
  replication: {
    membership: undefined,
    note:
      'The role gets the attribute REPLICATION. On PostgreSQL below 17 `postgres` may not give it: leave `--role` out, and the worker ' +
      'connects as `postgres`.',
  },
  administrator: '`postgres`, which is no superuser there',
  allTables: {
    isAllowed: 'yes',
    note: 'FOR ALL TABLES is allowed to `postgres`. It includes the tables of `auth`, `storage` and the other schemas of Supabase, whose REPLICA IDENTITY is not yours to set: `--tables` selects yours.',
  },
  eventTriggers: {
    isAllowed: 'yes',
    note: '`postgres` may make them. They are not run for what superusers and the roles of Supabase itself do.',
  },
  tls: {
    isForced: false,
    note:
      'The certificate is of an authority of their own: download it in the dashboard (Database settings, SSL configuration) and use ' +
      '`?sslmode=verify-full&sslrootcert=prod-ca-2021.crt`.',
  },
  unreachable:
    'On Supabase: the direct host db.REF.supabase.co has an IPv6 address alone, unless the project has the IPv4 add-on; network ' +
    'restrictions must admit this address.',
  pooler: {
    isPooler: (host, port) =>
      host.endsWith('.pooler.supabase.com') || (port === 6543 && host.includes('.supabase.')),
    fix: 'The pooler of Supabase carries no replication: take the direct connection, db.REF.supabase.co:5432.',
  },
  exampleUrl: 'postgres://postgres:PASSWORD@db.REF.supabase.co:5432/postgres',
  mind: [
    'The worker needs the direct connection, which is IPv6 unless the project has the IPv4 add-on. Both poolers (ports 5432 and 6543 of `….pooler.supabase.com`) carry no replication.',
    'A slot is lost when it holds back more than `max_slot_wal_keep_size`, which Supabase sets: raise it where the worker may be away for long.',
    'A paused project is a stopped server; restoring one to another loses the slot.',
  ],
  references: [
    'https://supabase.com/docs/guides/database/postgres/setup-replication-external',
    'https://supabase.com/docs/guides/database/custom-postgres-config',
    'https://supabase.com/docs/guides/database/postgres/event-triggers',
  ],
};

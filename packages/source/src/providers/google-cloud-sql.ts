import type { Provider } from './provider.ts';

// wal_level is not a flag there.
const flags: Readonly<Record<string, { readonly name: string; readonly value: string }>> = {
  wal_level: { name: 'cloudsql.logical_decoding', value: 'on' },
};

export const googleCloudSql: Provider = {
  id: 'google-cloud-sql',
  title: 'Google Cloud SQL',
  intro: 'Cloud SQL for PostgreSQL.',
  recognisedBy: { note: 'the role `cloudsqlsuperuser`', roles: ['cloudsqlsuperuser'] },
  changeSetting: (setting, value) => {
    const flag = flags[setting] ?? { name: setting, value };
    return {
      advice:
        `On Google Cloud SQL, set the flag ${flag.name} to ${flag.value}. The instance restarts. The command sets all flags ` +
        'at once: name those that are set already too, or they are reset.',
      commands: [
        'gcloud sql instances describe INSTANCE --format="value(settings.databaseFlags)"',
        `gcloud sql instances patch INSTANCE --database-flags=${flag.name}=${flag.value}`,
      ],
      sql: [],
    };
  },
  replication: {
    membership: undefined,
    note: 'The role gets the attribute REPLICATION: a member of `cloudsqlsuperuser`, such as `postgres`, may give it.',
  },
  administrator: '`postgres`, or another built-in user (a member of `cloudsqlsuperuser`)',
  allTables: { isAllowed: 'yes', note: 'FOR ALL TABLES is allowed to `cloudsqlsuperuser`.' },
  eventTriggers: { isAllowed: 'yes', note: '`cloudsqlsuperuser` may make them.' },
  tls: {
    isForced: false,
    note:
      'The server has a certificate of its own authority: download it (`gcloud sql instances describe INSTANCE ' +
      '--format="value(serverCaCert.cert)" > server-ca.pem`) and use `?sslmode=verify-ca&sslrootcert=server-ca.pem`. The Cloud SQL ' +
      'Auth Proxy encrypts by itself, and carries replication: `postgres://…@127.0.0.1:5432/app`.',
  },
  unreachable:
    "On Google Cloud SQL: this address must be among the instance's authorized networks, or be in its VPC for a private IP, or the " +
    'Cloud SQL Auth Proxy must run.',
  pooler: {
    isPooler: (_, port) => port === 6432,
    fix: 'Managed connection pooling (port 6432) carries no replication: take port 5432.',
  },
  exampleUrl: 'postgres://postgres:PASSWORD@10.20.0.3:5432/app?sslmode=verify-ca&sslrootcert=server-ca.pem',
  mind: [
    'Roles of IAM log in with a token as password: `BEMI_DATABASE_PASSWORD_COMMAND`, see [configuration](../configuration.md).',
    'Tables that another role owns can only be altered as that role: setup says which ones. Make the administrator a member of it (`GRANT owner TO postgres;`).',
    'A slot that nobody reads fills the disk, and with automatic storage increase it grows for good: alert on the disk, and on `bemi status`.',
  ],
  references: [
    'https://cloud.google.com/sql/docs/postgres/replication/configure-logical-replication',
    'https://cloud.google.com/sql/docs/postgres/flags',
  ],
};

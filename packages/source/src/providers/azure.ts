import type { Provider } from './provider.ts';

export const azure: Provider = {
  id: 'azure',
  title: 'Azure Database for PostgreSQL',
  intro: 'Azure Database for PostgreSQL, flexible server.',
  recognisedBy: {
    note: 'the role `azure_pg_admin`, or a host that ends with `.postgres.database.azure.com`',
    roles: ['azure_pg_admin'],
    host: /\.postgres\.database\.(azure\.com|chinacloudapi\.cn|usgovcloudapi\.net)$/,
  },
  changeSetting: (setting, value) => ({
    advice: `On Azure, set the server parameter ${setting} to ${value}, and restart.`,
    commands: [
      `az postgres flexible-server parameter set --resource-group GROUP --server-name SERVER --name ${setting} --value ${value}`,
      'az postgres flexible-server restart --resource-group GROUP --name SERVER',
    ],
    sql: [],
  }),
  replication: {
    membership: undefined,
    note:
      'The role gets the attribute REPLICATION. The administrator may need it first, and gives it to itself: ' +
      '`ALTER ROLE ADMINISTRATOR WITH REPLICATION;`',
  },
  administrator: "the server's administrator, a member of `azure_pg_admin`",
  allTables: {
    isAllowed: 'unknown',
    note: "If FOR ALL TABLES is refused: `--tables '*'` publishes each table that there is now.",
  },
  eventTriggers: { isAllowed: 'unknown', note: 'If they are refused, setup says what to call instead.' },
  tls: {
    isForced: true,
    note:
      'Unencrypted connections are refused (`require_secure_transport`). The certificates are of public authorities, which Node.js knows: ' +
      '`?sslmode=verify-full` needs no `sslrootcert`.',
  },
  unreachable:
    'On Azure: a firewall rule of the server must admit this address (az postgres flexible-server firewall-rule create), or this ' +
    'machine must be in the virtual network.',
  pooler: {
    isPooler: (host, port) => port === 6432 && host.includes('.postgres.database.'),
    fix: 'PgBouncer (port 6432) carries no replication: take port 5432.',
  },
  exampleUrl:
    'postgres://ADMINISTRATOR:PASSWORD@SERVER.postgres.database.azure.com:5432/app?sslmode=verify-full',
  mind: [
    'Azure wants `max_worker_processes` of 16 or more with logical replication.',
    'With high availability, slots are kept through a failover by the extension PG Failover Slots up to PostgreSQL 16, and by `sync_replication_slots` from 17 on. Without, the slot is lost: the worker refuses, and says how to go on.',
  ],
  references: [
    'https://learn.microsoft.com/en-us/azure/postgresql/configure-maintain/concepts-logical',
    'https://learn.microsoft.com/en-us/azure/postgresql/security/security-tls',
  ],
};

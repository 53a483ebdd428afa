import type { Provider } from './provider.ts';

export const digitalOcean: Provider = {
  id: 'digitalocean',
  title: 'DigitalOcean',
  intro: 'DigitalOcean Managed Databases for PostgreSQL.',
  recognisedBy: {
    note: 'the role `doadmin`, or a host that ends with `.db.ondigitalocean.com`',
    roles: ['doadmin'],
    host: /\.db\.ondigitalocean\.com$/,
  },
  changeSetting: (setting, value) => ({
    advice:
      setting === 'wal_level'
        ? 'On DigitalOcean wal_level is logical from the start: if it is not, ask their support.'
        : `On DigitalOcean, set ${setting} to ${value} in the cluster's advanced configuration.`,
    commands:
      setting === 'wal_level'
        ? []
        : [
            `doctl databases configuration update CLUSTER_ID --engine pg --config-json '{"${setting}": ${value}}'`,
          ],
    sql: [],
  }),
  replication: {
    membership: undefined,
    note:
      '`doadmin` has REPLICATION, and may give it to others from PostgreSQL 16 on. Below that, leave `--role` out: the worker ' +
      'connects as `doadmin`.',
  },
  administrator: '`doadmin`',
  allTables: {
    isAllowed: 'no',
    note: "`doadmin` is no superuser: let `--tables '*'` publish each table that there is now, and `bemi tables add` those that come.",
  },
  eventTriggers: {
    isAllowed: 'no',
    note: 'Not allowed to `doadmin`. Setup says what to call instead.',
  },
  tls: {
    isForced: true,
    note:
      "Unencrypted connections are refused. The certificate is of the cluster's own authority: download it on the cluster's page and " +
      'use `?sslmode=verify-full&sslrootcert=ca-certificate.crt`.',
  },
  unreachable: "On DigitalOcean: this address must be among the cluster's trusted sources.",
  pooler: {
    isPooler: (host, port) => port === 25061 && host.endsWith('.db.ondigitalocean.com'),
    fix: 'A connection pool (port 25061) carries no replication: take port 25060.',
  },
  exampleUrl:
    'postgres://doadmin:PASSWORD@app-do-user-1.db.ondigitalocean.com:25060/defaultdb?sslmode=verify-full&sslrootcert=ca-certificate.crt',
  mind: [
    'After a failover to a standby node the slot may be gone: the worker refuses to go on in silence, and says how to.',
  ],
  references: ['https://docs.digitalocean.com/products/databases/postgresql/'],
};

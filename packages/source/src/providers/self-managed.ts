import { rdsFix } from './aws-rds.ts';
import { dockerFix } from './docker.ts';
import { homebrewFix } from './homebrew.ts';
import type { Provider } from './provider.ts';

/** A server that its users run themselves. */
export const selfManaged: Provider = {
  id: 'self-managed',
  title: 'Self-managed PostgreSQL',
  intro: 'A server of your own, on a machine or in a virtual one.',
  recognisedBy: { note: 'nothing else' },
  // The server can't always be told from others: a role that is no superuser doesn't see where its files are.
  changeSetting: (setting, value, major) => ({
    advice: [
      'Run the SQL below as a superuser, then restart the server:',
      '- systemd: systemctl restart postgresql',
      `- Docker compose: ${dockerFix(setting, value)}`,
      `- Homebrew: ${homebrewFix(major)}`,
      `- AWS RDS, instead of the SQL: ${rdsFix(setting, value)}`,
    ].join('\n'),
    commands: [],
    sql: [`ALTER SYSTEM SET ${setting} = '${value}';`],
  }),
  replication: { membership: undefined, note: 'The role gets the attribute REPLICATION.' },
  administrator: 'a superuser',
  allTables: { isAllowed: 'yes', note: 'FOR ALL TABLES takes a superuser.' },
  eventTriggers: { isAllowed: 'yes', note: 'They take a superuser.' },
  tls: {
    isForced: false,
    note:
      'As you set it up (`ssl = on`). With a certificate of your own authority: `?sslmode=verify-full&sslrootcert=ca.pem`. ' +
      '`pg_hba.conf` needs a line for the role and the database, such as `hostssl app bemi_replication 10.0.0.0/8 scram-sha-256`; ' +
      'a line for `replication` is not needed, that is for physical standbys.',
  },
  unreachable: '',
  pooler: undefined,
  exampleUrl: 'postgres://postgres:PASSWORD@HOST:5432/app',
  mind: [
    'A slot keeps WAL for as long as it is not read: `max_slot_wal_keep_size` limits that, and a slot that falls behind further is lost.',
    'With streaming standbys, PostgreSQL 17 and later can keep the slot through a failover: setup makes it so (`failover`), and the standby needs `sync_replication_slots = on`, `hot_standby_feedback = on`, a `primary_slot_name` and a `dbname` in `primary_conninfo`.',
  ],
  references: [
    'https://www.postgresql.org/docs/current/logical-replication-config.html',
    'https://www.postgresql.org/docs/current/logicaldecoding-explanation.html',
  ],
};

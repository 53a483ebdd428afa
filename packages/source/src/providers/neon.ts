import type { Provider } from './provider.ts';

export const neon: Provider = {
  id: 'neon',
  title: 'Neon',
  intro: 'A Neon project.',
  recognisedBy: {
    note: 'the role `neon_superuser`, or a host that ends with `.neon.tech`',
    roles: ['neon_superuser'],
    host: /\.neon\.(tech|build)$/,
  },
  changeSetting: (setting, value) =>
    setting === 'wal_level'
      ? {
          advice:
            'On Neon, enable logical replication in the console (Settings, Logical Replication), or by their API. It can not be ' +
            'disabled again, and all computes of the project restart.',
          commands: [
            'curl -X PATCH https://console.neon.tech/api/v2/projects/PROJECT -H "Authorization: Bearer $NEON_API_KEY" ' +
              `-H "Content-Type: application/json" -d '{"project":{"settings":{"enable_logical_replication":true}}}'`,
          ],
          sql: [],
        }
      : {
          advice: `On Neon, ${setting} is set by Neon (${value} is needed): drop what is not needed, or ask their support.`,
          commands: [],
          sql: [],
        },
  replication: { membership: undefined, note: 'The role gets the attribute REPLICATION.' },
  administrator:
    'a role made in the console or by the API (such as `neondb_owner`), a member of `neon_superuser`',
  allTables: { isAllowed: 'yes', note: 'FOR ALL TABLES is allowed to `neon_superuser`.' },
  eventTriggers: { isAllowed: 'yes', note: '`neon_superuser` may make them.' },
  tls: {
    isForced: true,
    note: 'Unencrypted connections are refused. The certificates are of a public authority: `?sslmode=verify-full` needs no `sslrootcert`.',
  },
  unreachable: "On Neon: the branch's IP allow list, if there is one, must admit this address.",
  pooler: {
    isPooler: (host) => /-pooler\..*neon\.(tech|build)$/.test(host),
    fix: 'The pooler of Neon carries no replication: take the host without -pooler.',
  },
  exampleUrl:
    'postgres://neondb_owner:PASSWORD@ep-cool-darkness-123456.eu-central-1.aws.neon.tech/neondb?sslmode=verify-full',
  mind: [
    '**Neon drops a slot that has not been read for some 40 hours.** What was written meanwhile is lost to the trail: a gap, which the worker refuses to pass in silence. Alert on a worker that is down.',
    'A compute with a connected worker does not scale to zero, and is paid for all the time.',
    'Restoring a branch removes its slots; another branch is another server.',
  ],
  references: [
    'https://neon.com/docs/guides/logical-replication-neon',
    'https://neon.com/docs/guides/logical-replication-concepts',
  ],
};

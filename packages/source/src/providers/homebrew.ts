import type { Provider } from './provider.ts';

export function homebrewFix(major: number): string {
  return `brew services restart postgresql@${major}`;
}

/** PostgreSQL of macOS's package manager. */
export const homebrew: Provider = {
  id: 'homebrew',
  title: 'PostgreSQL by Homebrew',
  intro: 'A server for development, on macOS.',
  recognisedBy: {
    note: 'its data directory, `/opt/homebrew/var/postgresql@16` or `/usr/local/var/…`, seen as a superuser',
    dataDirectory: /^\/(opt\/homebrew|usr\/local|home\/linuxbrew\/\.linuxbrew)\/var\/postgres/,
  },
  changeSetting: (setting, value, major) => ({
    advice: `Run the SQL below as a superuser, then restart the server: ${homebrewFix(major)}`,
    commands: [homebrewFix(major)],
    sql: [`ALTER SYSTEM SET ${setting} = '${value}';`],
  }),
  replication: { membership: undefined, note: 'The role gets the attribute REPLICATION.' },
  administrator:
    'a superuser: with Homebrew that is the role with the name of your account, without a password',
  allTables: { isAllowed: 'yes', note: 'FOR ALL TABLES takes a superuser.' },
  eventTriggers: { isAllowed: 'yes', note: 'They take a superuser.' },
  tls: {
    isForced: false,
    note: 'None by default, and none needed: the server listens on this machine alone.',
  },
  unreachable: 'With Homebrew: brew services list shows whether it runs.',
  pooler: undefined,
  exampleUrl: 'postgres://localhost:5432/app',
  mind: [
    '`brew upgrade` of a major version leaves the old data where they are: setup is run again on the new server.',
  ],
  references: ['https://formulae.brew.sh/formula/postgresql@18'],
};

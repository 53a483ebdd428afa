import type { Provider } from './provider.ts';

export function dockerFix(setting: string, value: string): string {
  return (
    `docker compose restart SERVICE (or write command: ["postgres", "-c", "${setting}=${value}"] ` +
    'under the service, and docker compose up -d)'
  );
}

/** The official image. */
export const docker: Provider = {
  id: 'docker',
  title: 'PostgreSQL in Docker',
  intro: 'The official image `postgres`, alone or in a compose file.',
  recognisedBy: {
    note: 'its data directory, `/var/lib/postgresql/data` or `/var/lib/postgresql/18/docker`, seen as a superuser',
    dataDirectory: /^\/var\/lib\/postgresql\/(data(\/|$)|\d+\/docker$)/,
  },
  changeSetting: (setting, value) => ({
    advice: `Run the SQL below as a superuser, then restart the container: ${dockerFix(setting, value)}`,
    commands: ['docker compose restart SERVICE'],
    sql: [`ALTER SYSTEM SET ${setting} = '${value}';`],
  }),
  replication: { membership: undefined, note: 'The role gets the attribute REPLICATION.' },
  administrator: 'the superuser of `POSTGRES_USER`',
  allTables: { isAllowed: 'yes', note: 'FOR ALL TABLES takes a superuser, which `POSTGRES_USER` is.' },
  eventTriggers: { isAllowed: 'yes', note: 'They take a superuser, which `POSTGRES_USER` is.' },
  tls: {
    isForced: false,
    note: 'The image has none by default: `?sslmode=disable`, on a network of the containers alone. The image admits every address with a password.',
  },
  unreachable:
    'In Docker: from another container, the host is the name of the service and the port the one inside (5432); from outside, a ' +
    'port that is published (ports: "5432:5432").',
  pooler: undefined,
  exampleUrl: 'postgres://holi:PASSWORD@localhost:5432/app',
  mind: [
    'Settings given by `command:` go before those of `ALTER SYSTEM`: change them there if they are there.',
    'Without a volume the data, and the slot, are gone with the container: the worker then refuses to go on, because the server is another one.',
    '`deploy/compose/` has a compose file with these settings, and one for the worker.',
  ],
  references: ['https://hub.docker.com/_/postgres'],
};

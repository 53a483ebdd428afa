import type { Provider } from './provider.ts';

export const render: Provider = {
  id: 'render',
  title: 'Render',
  intro: 'Render Postgres. Logical replication is turned on by their support.',
  recognisedBy: {
    note: 'a host that ends with `-postgres.render.com`, or an internal one such as `dpg-…-a`',
    host: /(-postgres\.render\.com|^dpg-[a-z0-9]+-[a-z])$/,
  },
  changeSetting: (setting, value) => ({
    advice:
      `On Render, ask their support (in the dashboard) to set ${setting} to ${value}. It takes a workspace on the Pro plan or ` +
      'higher, and a database of 10 GB or more. Tell them: the service ID (dpg-…); the role that the worker connects as, to be ' +
      'given REPLICATION; the schemas; and, for all tables, the statement CREATE PUBLICATION bemi_publication FOR ALL TABLES;',
    commands: [],
    sql: [],
  }),
  replication: {
    membership: undefined,
    note: 'Only their support can give a role REPLICATION: name the role in the request.',
  },
  administrator: "the database's user",
  allTables: {
    isAllowed: 'no',
    note: "Only their support can make a publication for all tables: ask for it, or let `--tables '*'` publish each table that there is now, and `bemi tables add` those that come.",
  },
  eventTriggers: { isAllowed: 'no', note: 'Not allowed. Setup says what to call instead.' },
  tls: {
    isForced: true,
    note: 'Connections from outside must be encrypted: `?sslmode=require`. The internal host is in their private network.',
  },
  unreachable:
    "On Render: the external host is the full one, ending with .render.com, and the database's access control must admit this address.",
  pooler: undefined,
  exampleUrl: 'postgres://USER:PASSWORD@dpg-abc123-a.frankfurt-postgres.render.com/app?sslmode=require',
  mind: ['Their support reserves about an eighth of the storage for WAL.'],
  references: ['https://render.com/docs/postgresql-logical-replication'],
};

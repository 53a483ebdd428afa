import type { Permission, Provider } from './provider.ts';

/** The page of docs/hosting about a provider: Markdown. */
export function hostingPage(provider: Provider): string {
  return [
    `# ${provider.title}`,
    `${provider.intro} ${recognition(provider)}`,
    '## 1. Turn logical replication on',
    walLevel(provider),
    '## 2. Prepare the source, and record',
    prepare(provider),
    '## Connection',
    connection(provider),
    ...(provider.mind.length === 0 ? [] : ['## Mind', provider.mind.map((each) => `- ${each}`).join('\n')]),
    '## References',
    provider.references.map((url) => `- <${url}>`).join('\n'),
    `<!-- Made from packages/source/src/providers/${provider.id}.ts by npm run docs:hosting. -->\n`,
  ].join('\n\n');
}

/** docs/hosting/README.md */
export function hostingIndex(providers: readonly Provider[]): string {
  const rows = providers.map(
    ({ id, title, allTables, eventTriggers, replication, tls }) =>
      `| [${title}](${id}.md) | ${replication.membership ? `\`${replication.membership}\`` : 'REPLICATION'} | ${allTables.isAllowed} | ${eventTriggers.isAllowed} | ${tls.isForced ? 'forced' : 'as you wish'} |`,
  );
  return `# Where PostgreSQL runs

What is different at each provider: how logical replication is turned on, what its administrator may do, and how to connect. The provider is recognised by itself; \`bemi setup --provider ID\` says it where it isn't.

| | the worker's role gets | a publication for all tables | event triggers | TLS |
|---|---|---|---|---|
${rows.join('\n')}

\`unknown\`: their documentation doesn't say; setup tries, and says what to do where it is refused. The facts about providers are from their documentation, which each page names, and where that is silent from what their users report. None was tried on their servers.

A connection through a pooler (PgBouncer and the like) carries no replication, wherever it runs: the worker needs the server's own port.
`;
}

function recognition({ id, recognisedBy }: Provider): string {
  const isUsual = id === 'self-managed';
  const by = isUsual
    ? '`bemi setup` takes a server for one that shows nothing else.'
    : `\`bemi setup\` recognises it by ${recognisedBy.note}.`;
  return `${by} \`--provider ${id}\` says so where it doesn't; what it and \`bemi doctor\` print, and the worker's errors, are then about this page's server.`;
}

function walLevel(provider: Provider): string {
  const { advice, commands, sql } = provider.changeSetting('wal_level', 'logical', 16);
  // The list of other providers is for terminals: here they have pages of their own.
  const [sentence = ''] = advice.split('\n');
  const parts = [sentence.endsWith(':') && sql.length > 0 ? `${sentence.slice(0, -1)}.` : sentence];
  if (sql.length > 0) parts.push(fenced('sql', sql));
  if (commands.length > 0) parts.push(fenced('bash', commands));
  if (provider.id === 'self-managed') parts.push(fenced('bash', ['sudo systemctl restart postgresql']));
  parts.push(
    'Then `SHOW wal_level;` says `logical`. There must be a free replication slot and WAL sender too (`max_replication_slots`, `max_wal_senders`, 10 by default); `bemi doctor` looks.',
  );
  return parts.join('\n\n');
}

function prepare(provider: Provider): string {
  return [
    `As ${provider.administrator}:`,
    fenced('bash', [
      `npx bemi setup --admin-url "${provider.exampleUrl}" --role bemi_replication --dry-run   # prints the SQL`,
      `npx bemi setup --admin-url "${provider.exampleUrl}" --role bemi_replication`,
      'npx bemi worker --embedded   # or with BEMI_DESTINATION_URL',
    ]),
    [
      `- **The worker's role.** ${provider.replication.note} It may read, and nothing else. The administrator is not needed afterwards.`,
      `- **All tables.** ${permission(provider.allTables)}`,
      `- **Event triggers**, which record DDL and give new tables their replica identity. ${permission(provider.eventTriggers)}`,
    ].join('\n'),
    'By hand, the same is:',
    fenced('sql', byHand(provider)),
  ].join('\n\n');
}

function permission({ isAllowed, note }: Permission): string {
  const asked = isAllowed === 'unknown' ? 'Not documented. ' : '';
  return `${asked}${note}`;
}

function byHand({ replication, allTables }: Provider): readonly string[] {
  const { membership } = replication;
  return [
    `CREATE ROLE bemi_replication WITH LOGIN${membership ? '' : ' REPLICATION'} PASSWORD 'PASSWORD';`,
    ...(membership ? [`GRANT ${membership} TO bemi_replication;`] : []),
    'GRANT USAGE ON SCHEMA public TO bemi_replication;',
    'GRANT SELECT ON ALL TABLES IN SCHEMA public TO bemi_replication;',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO bemi_replication;  -- as each role that makes tables',
    'ALTER TABLE public.patient REPLICA IDENTITY FULL;  -- each table, before the publication',
    allTables.isAllowed === 'no'
      ? 'CREATE PUBLICATION bemi_publication FOR TABLE public.patient;  -- each table'
      : 'CREATE PUBLICATION bemi_publication FOR ALL TABLES;',
    "SELECT pg_create_logical_replication_slot('bemi_slot', 'pgoutput');  -- after the publication",
  ];
}

function connection(provider: Provider): string {
  const lines = [`- **TLS.** ${provider.tls.note}`];
  if (provider.pooler) lines.push(`- **No pooler.** ${provider.pooler.fix}`);
  if (provider.unreachable !== '') lines.push(`- **Not reachable?** ${provider.unreachable}`);
  return lines.join('\n');
}

function fenced(language: string, lines: readonly string[]): string {
  return `\`\`\`${language}\n${lines.join('\n')}\n\`\`\``;
}

import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import { readSchema } from '@bemi-db/trail/migrate';
import { type ContextShare, contextShare } from '@bemi-db/trail/query/context-share';
import { hasTrail } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { bemiFolder } from '../configuration/bemi-folder.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { hasEmbedded } from '../embedded/embedded-audit-database.ts';
import { ageText } from '../presentation/moment-text.ts';
import { countedText } from '../presentation/quantity-text.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { chooseSource } from '../trail-reading/choose-source.ts';
import { checkContextShare } from './check-context-share.ts';
import { type DoctorSection, notConfigured, section, unreachable } from './doctor-section.ts';

const side = { id: 'audit', title: 'Audit database' } as const;

export interface AuditChoice {
  readonly isEmbedded: boolean;
  readonly source: string | undefined;
  /** How many of the newest entries are looked at. */
  readonly newestEntries: number;
  /** Of a table's changes, how many percent may have no context. */
  readonly maximumWithout: number;
}

export interface AuditSection extends DoctorSection {
  readonly contextShare: ContextShare | undefined;
}

/** Everything that doctor checks in the audit database. */
export async function auditSection(configuration: Configuration, choice: AuditChoice): Promise<AuditSection> {
  const { isEmbedded } = choice;
  if (!isEmbedded && configuration.destinationUrl === undefined && !hasEmbedded(bemiFolder())) {
    const advice =
      'Set BEMI_DESTINATION_URL=postgres://role:password@host:5432/database, or run it where the worker runs.';
    return { ...notConfigured(side, 'BEMI_DESTINATION_URL is not set', advice), contextShare: undefined };
  }
  try {
    return await readingAuditDatabase({ configuration, isEmbedded }, async ({ client, name }) => {
      const share = await recentShare(client, configuration, choice);
      const findings = [
        ok('audit-connection', 'It can be reached', await versionText(client)),
        ...(await checkSchema(client)),
        ...share.findings,
      ];
      return { ...section(side, name, findings), contextShare: share.contextShare };
    });
  } catch (error) {
    return { ...unreachable(side, error), contextShare: undefined };
  }
}

async function versionText(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ version: string }>(
    `SELECT current_setting('server_version') AS version`,
  );
  return `PostgreSQL ${rows[0]!.version}`;
}

async function checkSchema(client: pg.ClientBase): Promise<readonly Finding[]> {
  if (!(await hasTrail(client))) return [];
  const { pending } = await readSchema(client);
  if (pending.length === 0)
    return [ok('audit-schema', 'Its schema is that of this version', 'all migrations are applied')];
  return [
    problem(
      'warning',
      'audit-schema',
      'Its schema is older than this program',
      `it lacks ${pending.map(({ name }) => name).join(', ')}`,
      'The worker brings it up to date when it starts, where its role may; else: bemi setup --destination',
    ),
  ];
}

async function recentShare(
  client: pg.ClientBase,
  configuration: Configuration,
  { source, newestEntries, maximumWithout }: AuditChoice,
): Promise<{ readonly findings: readonly Finding[]; readonly contextShare: ContextShare | undefined }> {
  const summary = await chooseSource(client, configuration, source);
  if (!summary) {
    const nothing = unknown(
      'log',
      'Nothing is recorded yet',
      'no worker has used it',
      'Start one: bemi worker',
    );
    return { findings: [nothing], contextShare: undefined };
  }
  const { name, entryCount, lastCommitAt } = summary;
  const last =
    lastCommitAt === undefined ? 'no change yet' : `last change ${ageText(lastCommitAt, new Date())}`;
  const share = await contextShare(client, summary.log, newestEntries);
  return {
    findings: [
      ok('log', `It has the log of ${name}`, `${countedText(entryCount, 'entry', 'entries')}, ${last}`),
      checkContextShare(share, maximumWithout),
    ],
    contextShare: share,
  };
}

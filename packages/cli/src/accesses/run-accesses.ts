import type { AccessKind } from '@bemi-db/trail/access/access';
import { accessLogName } from '@bemi-db/trail/access/access-log';
import { type AccessQuery, readAccesses } from '@bemi-db/trail/access/read-accesses';
import type { RecordedAccess } from '@bemi-db/trail/access/recorded-access';
import { hasTrail } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { usageError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { print, printNote } from '../output/print.ts';
import { accessSentence } from '../presentation/access-sentence.ts';
import { textStyle } from '../presentation/text-style.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { parseLimit, parseTableFilter } from '../trail-reading/change-arguments.ts';
import { parseMoment } from '../trail-reading/moment-argument.ts';
import { accessedTable } from './accessed-table.ts';
import { tellAccess } from './told-access.ts';

/** The flags of `bemi accesses`. */
export interface AccessesFlags {
  readonly by?: string;
  readonly what?: readonly string[];
  readonly table?: string;
  readonly primaryKey?: string;
  readonly log?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly json?: true;
  readonly embedded?: true;
}

const kinds = [
  ...(['search', 'view', 'export', 'live'] as const),
  ...(['sign-in', 'sign-out', 'sign-in-failed', 'account', 'key', 'source'] as const),
];
const defaultLimit = 50;
const pageSize = 500;

/** Prints who looked at what, newest first. That is an access too. */
export async function runAccesses(flags: AccessesFlags): Promise<void> {
  const query = queryOf(flags, new Date());
  const isJson = flags.json === true;
  const configuration = loadConfiguration();
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async ({ client }) => {
    const found = (await hasTrail(client)) ? await readAll(client, query) : [];
    if (await hasTrail(client)) await tell(client, query, found);
    for (const access of found) {
      await print(
        isJson ? `${accessJson(access)}\n` : `${accessSentence(access, textStyle(process.stdout))}\n`,
      );
    }
    if (found.length > 0) return;
    const nothing = 'Nothing of the trail has been looked at that this asks for.\n';
    if (isJson) printNote(nothing);
    else await print(nothing);
  });
}

function queryOf(flags: AccessesFlags, now: Date): AccessQuery {
  const { by, what, table, primaryKey, log, since, until, limit } = flags;
  return {
    ...(by === undefined ? {} : { who: by }),
    ...(what === undefined ? {} : { what: parseKinds(what) }),
    ...(table === undefined ? {} : { table: accessedTable(parseTableFilter(table)) }),
    ...(primaryKey === undefined ? {} : { key: primaryKey }),
    ...(log === undefined ? {} : { log }),
    ...(since === undefined ? {} : { since: parseMoment(since, '--since', now) }),
    ...(until === undefined ? {} : { until: parseMoment(until, '--until', now) }),
    limit: limit === undefined ? defaultLimit : parseLimit(limit),
  };
}

function parseKinds(texts: readonly string[]): AccessKind[] {
  return texts
    .flatMap((text) => text.split(','))
    .map((text) => {
      const kind = kinds.find((each) => each === text.trim().toLowerCase());
      if (kind) return kind;
      throw usageError(`${JSON.stringify(text)} is no kind of access`, `Use ${kinds.join(', ')}.`);
    });
}

async function readAll(client: pg.ClientBase, query: AccessQuery): Promise<RecordedAccess[]> {
  const found: RecordedAccess[] = [];
  let before: string | undefined;
  for (let left = query.limit; left > 0; left = query.limit - found.length) {
    const limit = Math.min(left, pageSize);
    const page = await readAccesses(client, { ...query, limit, ...(before === undefined ? {} : { before }) });
    found.push(...page);
    before = page.at(-1)?.entry;
    if (page.length < limit || before === undefined) break;
  }
  return found;
}

async function tell(
  client: pg.ClientBase,
  query: AccessQuery,
  found: readonly RecordedAccess[],
): Promise<void> {
  const { who, what, table, key, log, since, until } = query;
  const filters = Object.entries({ by: who, what, log }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  const entries = found.flatMap(({ entry }) => entry ?? []);
  const [last, first] = [entries[0], entries.at(-1)];
  await tellAccess(
    client,
    {
      ...{ what: 'search', command: 'accesses', log: accessLogName },
      ...(table === undefined ? {} : { tables: [table] }),
      ...(key === undefined ? {} : { key }),
      ...(since === undefined ? {} : { since }),
      ...(until === undefined ? {} : { until }),
      ...(filters.length === 0 ? {} : { filters }),
    },
    {
      changes: found.length,
      ...(first === undefined ? {} : { firstSequence: first }),
      ...(last === undefined ? {} : { lastSequence: last }),
    },
  );
}

/** What programs read. Sequences are numbers below 2^53. */
function accessJson({ entry, ...access }: RecordedAccess): string {
  return JSON.stringify({ entry: entry ?? null, isRecorded: entry !== undefined, ...access });
}

import { setTimeout as delay } from 'node:timers/promises';
import type { ChangeFilter } from '@bemi-db/trail/query/change-filter';
import {
  eachEntry,
  type LogEntry,
  type LogSearch,
  searchEntries,
  sequenceOf,
} from '@bemi-db/trail/query/log-entries';
import { recordedTables, type SourceSummary } from '@bemi-db/trail/query/trail-summary';
import type pg from 'pg';
import { logAccess } from '../accesses/log-access.ts';
import { beginReading, recordedReading } from '../accesses/recorded-reading.ts';
import type { Looked } from '../accesses/told-access.ts';
import { usageError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { print, printNote } from '../output/print.ts';
import { textStyle } from '../presentation/text-style.ts';
import { type AuditDatabase, readingAuditDatabase } from './audit-database.ts';
import {
  parseAuthenticity,
  parseContextFilter,
  parseLimit,
  parseOperations,
  parseTableFilter,
  parseValueFilter,
  parseWholeNumber,
} from './change-arguments.ts';
import { chooseSource } from './choose-source.ts';
import { parseMoment } from './moment-argument.ts';
import { nothingFound, nothingRecorded } from './nothing-recorded.ts';
import { entryPrinter } from './print-changes.ts';
import { searchProgress } from './search-progress.ts';

/** The flags of `bemi log`, as they are typed. */
export interface LogFlags {
  readonly table?: readonly string[];
  readonly primaryKey?: string;
  readonly operation?: readonly string[];
  readonly context?: readonly string[];
  readonly authenticity?: readonly string[];
  readonly actor?: string;
  readonly withoutContext?: true;
  readonly transaction?: string;
  readonly transactionId?: string;
  readonly changed?: readonly string[];
  readonly value?: readonly string[];
  readonly valueBefore?: readonly string[];
  readonly valueAfter?: readonly string[];
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly follow?: true;
  readonly changedOnly?: true;
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

const defaultLimit = 50;
/** How many changes `--follow` begins with. */
const defaultFollowLimit = 10;
const followPageSize = 500;
const followPollMs = 500;

/** Prints changes, newest first; with `--follow` the newest ones in their order, and then each as it is recorded. */
export async function runLog(flags: LogFlags): Promise<void> {
  const wanted = wantedOf(flags, new Date());
  const limit = flags.limit === undefined ? undefined : parseLimit(flags.limit);
  const isJson = flags.json === true;
  const configuration = loadConfiguration();
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async (database) => {
    if (flags.follow) {
      await follow(database, () => chooseSource(database.client, configuration, flags.source), {
        ...{ wanted, isJson, changedOnly: flags.changedOnly === true },
        limit: limit ?? defaultFollowLimit,
        looked: (log) => logAccess(flags, log, new Date()),
      });
      return;
    }
    const source = await chooseSource(database.client, configuration, flags.source);
    const printEntry = entryPrinter(isJson);
    let count = 0;
    if (source) {
      const search = {
        ...wanted,
        log: source.log,
        limit: limit ?? defaultLimit,
        changedOnly: flags.changedOnly === true,
      };
      const progress = searchProgress();
      const entries = eachEntry(database.client, search, { onProgress: progress.looked });
      const looked = logAccess(flags, source.name, new Date());
      for await (const entry of recordedReading(database.client, looked, entries, sequenceOf)) {
        progress.clear();
        await printEntry(entry);
        count++;
      }
      progress.clear();
    }
    if (count === 0) await sayNothing(database, source, isJson);
  });
}

/** What is asked of a log, without where and how much. */
type Wanted = Pick<LogSearch, 'kinds' | 'filter'>;

function wantedOf(flags: LogFlags, now: Date): Wanted {
  if (flags.withoutContext && (flags.context ?? flags.authenticity))
    throw usageError(
      'A change without context has no member and no authenticity',
      'Leave out --without-context, or the others.',
    );
  const { value = [], valueBefore = [], valueAfter = [] } = flags;
  const values = [
    ...value.map((text) => parseValueFilter(text)),
    ...valueBefore.map((text) => parseValueFilter(text, 'before')),
    ...valueAfter.map((text) => parseValueFilter(text, 'after')),
  ];
  // DDL has no row.
  const isOfRows = flags.primaryKey !== undefined || flags.changed !== undefined || values.length > 0;
  const operations = flags.operation === undefined ? undefined : parseOperations(flags.operation);
  const ofChanges = operations?.filter((operation) => operation !== 'DDL');
  const isForDdl = (operations?.includes('DDL') ?? true) && !isOfRows;
  const filter: ChangeFilter = {
    ...(flags.table === undefined ? {} : { tables: flags.table.map(parseTableFilter) }),
    ...(flags.primaryKey === undefined ? {} : { primaryKey: flags.primaryKey }),
    ...(ofChanges ? { operations: ofChanges } : {}),
    ...(flags.context === undefined ? {} : { context: flags.context.map(parseContextFilter) }),
    ...(flags.authenticity === undefined ? {} : { authenticity: parseAuthenticity(flags.authenticity) }),
    ...(flags.withoutContext ? { withoutContext: true } : {}),
    ...(flags.actor === undefined ? {} : { actor: flags.actor }),
    ...(flags.transaction === undefined
      ? {}
      : { transaction: parseWholeNumber(flags.transaction, '--transaction') }),
    ...(flags.transactionId === undefined
      ? {}
      : { transactionId: parseWholeNumber(flags.transactionId, '--transaction-id') }),
    ...(flags.changed === undefined ? {} : { changedColumns: flags.changed }),
    ...(values.length === 0 ? {} : { values }),
    ...(flags.text === undefined ? {} : { text: flags.text }),
    ...(flags.since === undefined ? {} : { since: parseMoment(flags.since, '--since', now) }),
    ...(flags.until === undefined ? {} : { until: parseMoment(flags.until, '--until', now) }),
  };
  return {
    kinds: [
      ...(ofChanges?.length === 0 ? [] : (['change'] as const)),
      ...(isForDdl ? (['ddl'] as const) : []),
    ],
    filter,
  };
}

/** An answer on stdout for people; with `--json` nothing is an answer, and the explanation a note. */
async function sayNothing(
  { client, name }: AuditDatabase,
  source: SourceSummary | undefined,
  isJson: boolean,
): Promise<void> {
  const style = textStyle(isJson ? process.stderr : process.stdout);
  const text =
    source?.lastCommitAt === undefined
      ? nothingRecorded(name, source, style, invocation())
      : nothingFound(source, await recordedTables(client, source.log), style);
  if (isJson) printNote(text);
  else await print(text);
}

interface FollowOptions {
  readonly wanted: Wanted;
  readonly changedOnly: boolean;
  readonly limit: number;
  readonly isJson: boolean;
  /** What is looked at, of a log by its name. */
  readonly looked: (log: string) => Looked;
}

/** Goes on until a signal ends it. The log may not exist yet: then it waits for it. */
async function follow(
  { client, name }: AuditDatabase,
  findSource: () => Promise<SourceSummary | undefined>,
  options: FollowOptions,
): Promise<void> {
  const { wanted, changedOnly, isJson, limit } = options;
  const { signal } = interruption();
  const pause = () => delay(followPollMs, undefined, { signal }).catch(() => undefined);
  const printOne = entryPrinter(isJson);
  let source = await findSource();
  if (source?.lastCommitAt === undefined) {
    printNote(nothingRecorded(name, source, textStyle(process.stderr), invocation()));
  }
  while (!source) {
    await pause();
    if (signal.aborted) return;
    source = await findSource();
  }
  const { log } = source;
  const search = { ...wanted, changedOnly, log };
  // Where the log ends is read first: what is recorded after it comes next, whether it matches the filter or not.
  let after = await lastSequence(client, source.log);
  const reading = await beginReading(client, options.looked(source.name), new Date(), true);
  const printEntry = async (entry: LogEntry): Promise<void> => {
    reading.shown(sequenceOf(entry));
    await printOne(entry);
  };
  try {
    const before = String(BigInt(after) + 1n);
    const newest: LogEntry[] = [];
    for await (const entry of eachEntry(client, { ...search, filter: { ...wanted.filter, before }, limit }))
      newest.push(entry);
    for (const entry of newest.toReversed()) await printEntry(entry);
    while (!signal.aborted) {
      const end = await reading.during(() => lastSequence(client, log));
      if (end === after) {
        await pause();
        continue;
      }
      const bounds = { after, before: String(BigInt(end) + 1n) };
      const page = await reading.during(() =>
        searchEntries(client, {
          ...{ ...search, filter: { ...wanted.filter, ...bounds } },
          order: 'oldest-first',
          limit: followPageSize,
        }),
      );
      for (const entry of page.entries) await printEntry(entry);
      after = page.next ?? end;
      if (page.next === undefined) await pause();
    }
  } finally {
    await reading.end();
  }
}

/** Aborted by Ctrl-C or SIGTERM: that is how following ends, and no failure. A second one ends the process. */
function interruption(): AbortController {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  return abort;
}

/** Sequence of the last entry; -1 in an empty log. It becomes visible with the entries, in one commit. */
async function lastSequence(client: pg.ClientBase, log: number): Promise<string> {
  const { rows } = await client.query<{ last: string }>(
    'SELECT (next_sequence - 1)::text AS last FROM bemi.logs WHERE log = $1',
    [log],
  );
  return rows[0]?.last ?? '-1';
}

import { type PostgresServer, startPostgres } from '@bemi-db/embedded-postgres';
import { countActivity } from '@bemi-db/trail/activity/count-activity';
import { migrate } from '@bemi-db/trail/migrate';
import { indexChanges } from '@bemi-db/trail/partitions';
import type { ChangeFilter } from '@bemi-db/trail/query/change-filter';
import { type FoundChanges, searchChanges } from '@bemi-db/trail/query/search-changes';
import pg from 'pg';
import { fillLog } from './filled-log.ts';
import { type Spread, spread } from './statistics.ts';

export interface QueriesOptions {
  /** Of each log that is measured, the smaller one first. */
  readonly changes: readonly number[];
  readonly rounds: number;
  readonly report: (line: string) => void;
}

/** What one search took in one log. */
export interface QueryTime {
  readonly changes: number;
  readonly ms: Spread;
  readonly found: number;
  readonly end: FoundChanges['end'];
}

export interface QueryCost {
  readonly name: string;
  /** In the order of the logs' sizes. */
  readonly times: readonly QueryTime[];
}

export interface QueriesResult {
  readonly fills: readonly {
    readonly changes: number;
    readonly entries: number;
    readonly fillSeconds: number;
    readonly indexSeconds: number;
    readonly indexBytes: number;
  }[];
  readonly queries: readonly QueryCost[];
}

const pageSize = 50;

/** A log of one size, in a cluster of its own. */
interface MeasuredLog {
  readonly changes: number;
  readonly client: pg.Client;
  readonly log: number;
  readonly nextSequence: number;
}

/**
 * The first page of each search, in logs of several sizes, each in a cluster of its own. All logs are there before the first
 * search, and each search is made in one after the other, round by round: what else the machine does hits all sizes alike.
 */
export async function benchQueries({ changes, rounds, report }: QueriesOptions): Promise<QueriesResult> {
  const fills: QueriesResult['fills'][number][] = [];
  const logs: MeasuredLog[] = [];
  const servers: PostgresServer[] = [];
  try {
    for (const size of changes) {
      const server = await startPostgres({ disposable: true, settings: { max_wal_size: '8GB' } });
      servers.push(server);
      const client = new pg.Client({ connectionString: server.url() });
      await client.connect();
      await migrate(client);
      const startedAt = performance.now();
      const { log, nextSequence } = await fillLog(client, { changes: size });
      const filledAt = performance.now();
      while (!(await indexChanges(client, log, 16)));
      const indexedAt = performance.now();
      const { rows } = await client.query<{ bytes: string }>(
        `SELECT sum(pg_total_relation_size(relid)) AS bytes FROM pg_partition_tree('bemi.change_index')`,
      );
      fills.push({
        ...{ changes: size, entries: nextSequence, indexBytes: Number(rows[0]!.bytes) },
        fillSeconds: (filledAt - startedAt) / 1000,
        indexSeconds: (indexedAt - filledAt) / 1000,
      });
      report(
        `${size} changes: written in ${Math.round((filledAt - startedAt) / 1000)} s, indexed in ${Math.round((indexedAt - filledAt) / 1000)} s`,
      );
      await client.query('VACUUM ANALYZE');
      logs.push({ changes: size, client, log, nextSequence });
    }
    return { fills, queries: [...(await timeQueries(logs, rounds)), ...(await timeOverviews(logs, rounds))] };
  } finally {
    await Promise.all(logs.map(({ client }) => client.end()));
    await Promise.all(servers.map((server) => server.stop('immediate')));
  }
}

async function timeQueries(logs: readonly MeasuredLog[], rounds: number): Promise<QueryCost[]> {
  const costs: QueryCost[] = [];
  for (const name of Object.keys(filtersOf(0))) {
    const taken = logs.map((): number[] => []);
    const found: FoundChanges[] = [];
    // The first round only reads what is not in memory yet.
    for (let round = -1; round < rounds; round++) {
      for (const [i, { client, log, nextSequence }] of logs.entries()) {
        const filter = filtersOf(nextSequence)[name]!;
        const from = performance.now();
        found[i] = await searchChanges(client, { log, filter, limit: pageSize });
        if (round >= 0) taken[i]!.push(performance.now() - from);
      }
    }
    costs.push({
      name,
      times: logs.map(({ changes }, i) => ({
        ...{ changes, ms: spread(taken[i]!) },
        ...{ found: found[i]!.changes.length, end: found[i]!.end },
      })),
    });
  }
  return costs;
}

/** What the overview asks for. Nothing is left out, so the end is always reached. */
async function timeOverviews(logs: readonly MeasuredLog[], rounds: number): Promise<QueryCost[]> {
  const until = new Date('2026-11-22T00:00:00Z');
  const costs: QueryCost[] = [];
  for (const { name, days, step } of periods) {
    const taken = logs.map((): number[] => []);
    const found = logs.map(() => 0);
    for (let round = -1; round < rounds; round++) {
      for (const [i, { client, log }] of logs.entries()) {
        const since = new Date(until.getTime() - days * 86_400_000);
        const from = performance.now();
        const { tables } = await countActivity(client, { log, since, until, step, zone: 'Europe/Berlin' });
        if (round >= 0) taken[i]!.push(performance.now() - from);
        found[i] = tables.reduce((sum, { changes }) => sum + changes, 0);
      }
    }
    const times = logs.map(({ changes }, i) => ({ changes, ms: spread(taken[i]!), found: found[i]! }));
    costs.push({ name: `overview, ${name}`, times: times.map((time) => ({ ...time, end: 'reached' })) });
  }
  return costs;
}

const periods = [
  { name: '24 hours', days: 1, step: 'hour' },
  { name: '7 days', days: 7, step: 'hour' },
  { name: '30 days', days: 30, step: 'day' },
  { name: '90 days', days: 90, step: 'day' },
  { name: 'a year', days: 365, step: 'week' },
  { name: 'all', days: 731, step: 'week' },
] as const;

/** What is asked for: common, rare, only long ago, and never there; alone and together. See `fillLog`. */
function filtersOf(nextSequence: number): Record<string, ChangeFilter> {
  const context = (key: string, value: string): ChangeFilter => ({ context: [{ key, value }] });
  const table = (name: string): ChangeFilter => ({ tables: [{ schema: 'public', name }] });
  const day = { since: new Date('2025-11-01T00:00:00Z'), until: new Date('2025-11-02T00:00:00Z') };
  return {
    'no filter': {},
    'no filter, a page deep down': { before: String(Math.floor(nextSequence / 10)) },
    'table, common': table('appointment'),
    'table, long ago': table('consent_form'),
    'table, rare': table('ward'),
    'table, none': table('archive'),
    'operation, common': { operations: ['UPDATE'] },
    'operation, rare': { operations: ['TRUNCATE'] },
    'time, recent': { since: new Date('2026-11-20T00:00:00Z') },
    'time, a day a year ago': day,
    'time, none': { since: new Date('2027-06-01T00:00:00Z') },
    'time, before it began': { until: new Date('2020-01-01T00:00:00Z') },
    transaction: { transaction: '12' },
    'transaction id': { transactionId: '4293100000' },
    'transaction id, none': { transactionId: '5' },
    'context, common': context('role', 'NURSE'),
    'context, long ago': context('release', 'r1'),
    'context, rare': context('userId', 'user_4990'),
    'context, none': context('userId', 'nobody'),
    'context, two that never meet': {
      context: [
        { key: 'role', value: 'NURSE' },
        { key: 'endpoint', value: '/admin' },
      ],
    },
    'without context': { withoutContext: true },
    'authenticity, none': { authenticity: ['forged'] },
    'actor, common': { actor: 'user_0' },
    'actor, of the database': { actor: 'dba_3' },
    'actor, none': { actor: 'mallory' },
    record: { ...table('patient'), primaryKey: '17' },
    'record, none': { ...table('patient'), primaryKey: 'x' },
    'record and actor, none': { ...table('patient'), primaryKey: '17', actor: 'mallory' },
    'busy record and actor, none': { ...table('patient'), primaryKey: '0', actor: 'mallory' },
    'table and operation': { ...table('bed'), operations: ['DELETE'] },
    'table and operation, none': { ...table('archive'), operations: ['TRUNCATE'] },
    'table and rare user': { ...table('device'), ...context('userId', 'user_4990') },
    'table of long ago and context of today, none': { ...table('consent_form'), ...context('release', 'r2') },
    'two tables and two operations': {
      tables: [{ name: 'ward' }, { name: 'consent_form' }],
      operations: ['UPDATE', 'DELETE'],
    },
    'actor and a day': { actor: 'user_3', ...day },
    'value, common': { values: [{ column: 'status', operator: 'is', value: 's3' }] },
    'value, none': { values: [{ column: 'status', operator: 'is', value: 's99' }] },
    'changed column': { changedColumns: ['status'] },
    'text, none': { text: 'nowhere to be found' },
    'text of a table, none': { ...table('ward'), text: 'nowhere to be found' },
  };
}

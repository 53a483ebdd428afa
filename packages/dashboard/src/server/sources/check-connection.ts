import { groupedFindings } from '@bemi-db/source/check-groups';
import { explainConnectionError } from '@bemi-db/source/connection-errors';
import { describeTarget, type ParsedConnection } from '@bemi-db/source/connection-string';
import { type Finding, problem } from '@bemi-db/source/finding';
import { asOfNewSource } from '@bemi-db/source/new-source';
import { plan } from '@bemi-db/source/plan';
import { PlanError, printableSql } from '@bemi-db/source/plan-step';
import { planTablesAdded, planTablesDropped } from '@bemi-db/source/plan-tables';
import { productionChecklist } from '@bemi-db/source/production-checklist';
import { checkSource } from '@bemi-db/source/source-checks';
import type { SourceSnapshot, TableSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import pg from 'pg';
import type { SourceChecks } from '../../api/source.ts';

const connectTimeoutMs = 8_000;
const checkTimeoutMs = 25_000;
const shownTables = 500;
const limits = { healthyLagBytes: 100 * 1024, retainedWalBytes: 10 * 1024 ** 3 };

export interface CheckedNames {
  readonly slot: string;
  readonly publication: string;
  /** Nothing is recorded of it yet: a worker makes what is missing, where its role may. */
  readonly isNew: boolean;
}

/** Everything that doctor checks on a source, with its fixes, within a time limit. Never throws for what the source is like. */
export async function checkConnection(
  connection: ParsedConnection,
  { slot, publication, isNew }: CheckedNames,
  signal?: AbortSignal,
): Promise<SourceChecks> {
  const name = describeTarget(connection.target);
  try {
    const within = { timeoutMs: checkTimeoutMs, signal };
    return await connected(connection, within, async (client) => {
      const { findings, snapshot } = await checkSource(client, connection, { slot, publication, limits });
      const wanted: Wanted = { slot, publication, tables: 'all' };
      const shown = isNew ? asOfNewSource(findings, snapshot, wanted) : findings;
      return {
        connection: name,
        isReachable: true,
        groups: inGroups(shown),
        ...plannedSteps(snapshot, wanted),
        ...tablesOf(snapshot, wanted),
      };
    });
  } catch (error) {
    const { code, message, fix } = explained(error, connection);
    const finding = problem('failure', 'source-connection', message, code, fix);
    return {
      ...{ connection: name, isReachable: false, groups: inGroups([finding]) },
      ...{ steps: [], tables: [], tableCount: 0, publishedCount: 0 },
    };
  }
}

/** Why it can't be reached, if it can't. */
export async function whyUnreachable(
  connection: ParsedConnection,
): Promise<{ readonly code: string; readonly message: string; readonly fix: string } | undefined> {
  try {
    await connected(connection, { timeoutMs: connectTimeoutMs }, (client) => client.query('SELECT 1'));
    return undefined;
  } catch (error) {
    return explained(error, connection);
  }
}

/** Without secrets: passwords are in no message of a server or of the driver, and of what is unexpected none is shown. */
function explained(error: unknown, { target }: ParsedConnection) {
  if (error instanceof CheckTimeoutError) {
    const fix = 'Try again; or run bemi doctor beside the worker, which has more patience.';
    return { code: 'too-slow', message: `${describeTarget(target)} did not answer in time`, fix };
  }
  return explainConnectionError(error, { database: 'source', phase: 'connect', target });
}

class CheckTimeoutError extends Error {
  override readonly name = 'CheckTimeoutError';
}

async function connected<T>(
  { config }: ParsedConnection,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw new CheckTimeoutError('Nobody waits any more');
  const client = new pg.Client({
    ...config,
    application_name: 'bemi dashboard',
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: timeoutMs,
  });
  client.on('error', () => undefined);
  const time = AbortSignal.timeout(timeoutMs);
  const over = signal ? AbortSignal.any([time, signal]) : time;
  const limit = new Promise<never>((_, reject) => {
    over.addEventListener('abort', () => {
      reject(new CheckTimeoutError('The time is up, or nobody waits any more'));
      client.connection.stream.destroy();
    });
  });
  const worked = (async () => {
    await client.connect();
    await client.query('SET default_transaction_read_only = on; SET TimeZone = UTC');
    return await work(client);
  })();
  worked.catch(() => undefined);
  try {
    return await Promise.race([worked, limit]);
  } finally {
    const closed = client.end().catch(() => undefined);
    const forced = setTimeout(() => client.connection.stream.destroy(), 1_000);
    await closed;
    clearTimeout(forced);
  }
}

/** Each finding once: those of the guide's checklist first, in its order. */
function inGroups(findings: readonly Finding[]): SourceChecks['groups'] {
  const listed = productionChecklist.flatMap(({ checks }) =>
    checks.flatMap((id) => findings.filter((finding) => finding.id === id)),
  );
  const groups = [{ title: 'checklist', findings: listed }, ...groupedFindings(findings)];
  return groups
    .filter((group) => group.findings.length > 0)
    .map((group) => ({
      title: group.title,
      findings: group.findings.map((finding) => ({ ...finding, sql: [...finding.sql] })),
    }));
}

function plannedSteps(snapshot: SourceSnapshot, wanted: Wanted): Pick<SourceChecks, 'steps'> {
  try {
    const steps = plan(snapshot, wanted).map((step) => ({
      title: step.title,
      sql: printableSql(step),
      why: step.why,
    }));
    return { steps };
  } catch (error) {
    if (error instanceof PlanError) return { steps: [] };
    throw error;
  }
}

function tablesOf(
  snapshot: SourceSnapshot,
  wanted: Wanted,
): Pick<SourceChecks, 'tables' | 'tableCount' | 'publishedCount'> {
  const own = snapshot.tables.filter(({ kind, extension }) => kind === 'table' && extension === undefined);
  return {
    tableCount: own.length,
    publishedCount: own.filter(({ isPublished }) => isPublished).length,
    tables: own.slice(0, shownTables).map((table) => {
      const { schema, name, isPublished, identity, rowEstimate } = table;
      return {
        ...{ schema, table: name, isPublished, identity, rowEstimate: rowEstimate ?? null },
        ...publishingSql(snapshot, wanted, table),
      };
    }),
  };
}

/** What changes whether a table is published. Identities stay: other publications may need them. */
function publishingSql(
  snapshot: SourceSnapshot,
  wanted: Wanted,
  { schema, name, isPublished }: TableSnapshot,
): Pick<SourceChecks['tables'][number], 'sql' | 'note'> {
  const ofTable: Wanted = { ...wanted, tables: [{ schema, name }] };
  try {
    const steps = isPublished
      ? planTablesDropped(snapshot, ofTable, () => true)
      : planTablesAdded(snapshot, ofTable);
    return { sql: steps.map(printableSql), note: null };
  } catch (error) {
    if (error instanceof PlanError) return { sql: [], note: `${error.message}. ${error.fix}` };
    throw error;
  }
}

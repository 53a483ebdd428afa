import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { emitTextOid } from '@bemi-db/source/context-triggers';
import { type Finding, ok, problem, unknown } from '@bemi-db/source/finding';
import pg from 'pg';
import type { Configuration } from '../configuration/configuration.ts';
import { withSourceDatabase } from '../connecting/source-database.ts';
import { explainError } from '../output/explain-error.ts';
import { countText } from '../presentation/quantity-text.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';

const id = 'probe';
const defaultPatienceMs = 15_000;
/** Where somebody else's was recorded in the same second, ours was not. */
const againMs = 2_000;
const pollMs = 20;

export interface ProbeOptions {
  readonly configuration: Configuration;
  readonly isEmbedded: boolean;
  readonly log: number;
  /** Default: 15 s. */
  readonly patienceMs?: number;
}

/** Sends a message through the source's WAL, and waits until the worker has recorded it. */
export async function probe({
  configuration,
  isEmbedded,
  log,
  patienceMs = defaultPatienceMs,
}: ProbeOptions): Promise<Finding> {
  const { databaseUrl, source: meant } = configuration;
  if (databaseUrl === undefined) return unknown(id, 'No probe was sent', 'BEMI_DATABASE_URL is not set');
  try {
    return await withSourceDatabase(
      databaseUrl,
      meant?.urlSetWith ?? 'BEMI_DATABASE_URL',
      ({ client: source }) =>
        readingAuditDatabase({ configuration, isEmbedded }, ({ client: audit }) =>
          sendAndWait(source, audit, { log, patienceMs }),
        ),
    );
  } catch (error) {
    const { code, message, fix } = explainError(error);
    return problem('failure', id, message, code, fix);
  }
}

async function sendAndWait(
  source: pg.Client,
  audit: pg.Client,
  { log, patienceMs }: { readonly log: number; readonly patienceMs: number },
): Promise<Finding> {
  const { rows } = await source.query<{ version: number; text: string; mayEmit: boolean; emit: string }>(
    `SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS text,
            has_function_privilege(${emitTextOid}, 'EXECUTE') AS "mayEmit", ${emitTextOid}::regprocedure::text AS emit`,
  );
  const { version, text, mayEmit, emit } = rows[0]!;
  if (version < 140_000) {
    return unknown(
      id,
      'No probe can be sent',
      `PostgreSQL ${text} does not stream messages; 14 and later do`,
    );
  }
  if (!mayEmit) return notAllowed(emit, source.user ?? 'role');
  const next = await audit.query<{ next: string }>(
    'SELECT next_sequence AS next FROM bemi.logs WHERE log = $1',
    [log],
  );
  const tokens: string[] = [];
  const sentAt: number[] = [];
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    if (performance.now() - (sentAt.at(-1) ?? Number.NEGATIVE_INFINITY) >= againMs) {
      tokens.push(randomBytes(12).toString('hex'));
      sentAt.push(performance.now());
      await source.query(`SELECT pg_logical_emit_message(true, '_bemi_probe', $1::text)`, [tokens.at(-1)]);
    }
    const { rows: found } = await audit.query<{ sequence: string; token: string }>(
      `SELECT sequence::text AS sequence, payload ->> 'token' AS token FROM bemi.event_log
        WHERE log = $1 AND sequence >= $2 AND kind = 'lifecycle' AND payload ->> 'token' = ANY ($3) LIMIT 1`,
      [log, next.rows[0]!.next, tokens],
    );
    const [event] = found;
    if (event) {
      const ms = Math.round(performance.now() - sentAt[tokens.indexOf(event.token)]!);
      return ok(
        id,
        'A probe came through',
        `recorded after ${countText(ms)} ms, entry ${countText(event.sequence)}`,
      );
    }
    await delay(pollMs);
  }
  return problem(
    'failure',
    id,
    'A probe did not come through',
    `not recorded within ${patienceMs / 1_000} s`,
    'Where no worker records, start it: bemi worker. Where one does, it is behind, or records from another database: bemi status',
  );
}

function notAllowed(emitFunction: string, role: string): Finding {
  return problem(
    'warning',
    id,
    'This role may not send a probe',
    `it has no EXECUTE on ${emitFunction}`,
    'Run as a superuser:',
    [`GRANT EXECUTE ON FUNCTION ${emitFunction} TO ${pg.escapeIdentifier(role)};`],
  );
}

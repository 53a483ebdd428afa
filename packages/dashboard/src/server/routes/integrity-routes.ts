import { encodeBase64 } from '@bemi-db/proof/base64';
import { parseCheckpoint } from '@bemi-db/proof/checkpoint';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { formatOrigin } from '@bemi-db/proof/origin';
import { formatVerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import { NoProofError, storedEntryProof } from '@bemi-db/trail/proof/stored-entry-proof';
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import type pg from 'pg';
import { type Integrity, integritySchema, verificationAnswerSchema } from '../../api/integrity.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { logFilter, searchPage } from '../entry-search.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { findLog } from '../log-numbers.ts';
import { scopeOf } from '../scope.ts';
import type { Verifications } from '../verifications.ts';

const logParameter = z.object({ log: z.string().max(200) });
const proofTimeoutMs = 30_000;

/** Whether the record is whole: what was signed last, verifications, and the proof of each entry. */
export function integrityRoutes(
  app: OpenAPIHono<DashboardEnvironment>,
  { reader, verifications }: { reader: AuditReader; verifications: Verifications },
): void {
  const integrity = guarded('integrity:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/integrity',
    tags: ['Integrity'],
    summary: 'The last checkpoint of a log, and its keys',
    request: { params: logParameter },
    responses: { 200: json(integritySchema, 'What was signed last') },
  });
  app.openapi(integrity, async (c) => {
    const name = c.req.valid('param').log;
    const found = await reader.read(async (client) =>
      readIntegrity(client, (await findLog(client, name)).log),
    );
    if (!found)
      throw new ApiProblem(404, 'no-checkpoint', 'The log is not signed yet', 'Start a worker: bemi start');
    return c.json(found, 200);
  });

  const last = guarded('integrity:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/verification',
    tags: ['Integrity'],
    summary: 'The verification that runs, or the last one',
    request: { params: logParameter },
    responses: { 200: json(verificationAnswerSchema, 'As far as it is') },
  });
  app.openapi(last, async (c) => {
    const name = c.req.valid('param').log;
    await reader.read((client) => findLog(client, name));
    return c.json({ canStart: verifications.canStart, verification: verifications.last(name) ?? null }, 200);
  });

  const start = guarded('integrity:verify', {
    method: 'post',
    path: '/api/v1/logs/{log}/verification',
    tags: ['Integrity'],
    summary: 'Start a verification; where one runs already, that one goes on',
    request: { params: logParameter },
    responses: { 202: json(verificationAnswerSchema, 'It runs') },
  });
  app.openapi(start, async (c) => {
    const name = c.req.valid('param').log;
    await reader.read((client) => findLog(client, name));
    if (!verifications.canStart)
      throw new ApiProblem(
        409,
        'no-verifier',
        'This server can’t verify',
        'On the worker’s machine: bemi verify',
      );
    const verification = verifications.start(name, c.get('principal').name);
    return c.json({ canStart: true, verification }, 202);
  });

  const proof = guarded('changes:read', {
    method: 'get',
    path: '/api/v1/logs/{log}/entries/{sequence}/proof',
    tags: ['Integrity'],
    summary: 'The proof that an entry is in the log (C2SP tlog-proof)',
    description: 'Anybody can check it without this server: bemi-verify, or the page /verify.',
    request: { params: logParameter.extend({ sequence: z.string().regex(/^\d{1,15}$/) }) },
    responses: {
      200: { description: 'The proof', content: { 'text/plain': { schema: z.string() } } },
      409: json(z.any(), 'The entry can’t be proven: the audit database was altered'),
    },
  });
  app.openapi(proof, async (c) => {
    const { log: name, sequence } = c.req.valid('param');
    const text = await reader.read(async (client) => {
      const { log } = await findLog(client, name);
      const asked = logFilter({}, await scopeOf(client, log, c.get('principal')));
      const bounds = { before: String(BigInt(sequence) + 1n), after: String(BigInt(sequence) - 1n) };
      const { entries } = await searchPage(client, asked, { ...bounds, log, limit: 1 });
      if (entries.length === 0)
        throw new ApiProblem(
          404,
          'unknown-entry',
          'No change and no DDL has this sequence, or it is not in your scope',
        );
      return await proofText(client, log, Number(sequence));
    }, proofTimeoutMs);
    await reader.record({ what: 'export', log: name, sequence, changes: 1, ...askerOf(c) });
    return c.body(text, 200, {
      'content-type': 'text/plain; charset=utf-8',
      'content-disposition': `attachment; filename="entry-${sequence}.tlog-proof"`,
    }) as never;
  });
}

async function proofText(client: pg.ClientBase, log: number, sequence: number): Promise<string> {
  try {
    return (await storedEntryProof({ client, log, sequence, isInTransaction: true })).text;
  } catch (error) {
    if (error instanceof NoProofError)
      throw new ApiProblem(409, error.reason, error.message, 'Run bemi verify: it names what was altered.', {
        cause: error,
      });
    throw error;
  }
}

async function readIntegrity(client: pg.ClientBase, log: number): Promise<Integrity | undefined> {
  const { rows } = await client.query<{
    logId: string;
    generation: number;
    checkpoint: string;
    signedAt: string;
    ageSeconds: number;
  }>(
    `SELECT l.log_id AS "logId", s.generation, f.checkpoint,
            to_char(f.signed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "signedAt",
            extract(epoch FROM clock_timestamp() - f.signed_at)::float8 AS "ageSeconds"
       FROM bemi.logs l JOIN bemi.sources s USING (log) JOIN bemi.frontier f USING (log) WHERE l.log = $1`,
    [log],
  );
  const [row] = rows;
  if (!row) return undefined;
  const { checkpoint, signedAt, ageSeconds } = row;
  const { size, root } = parseCheckpoint(checkpoint);
  const { rows: events } = await client.query<{ sequence: string; publicKey: string; at: string }>(
    `SELECT sequence::text AS sequence, payload ->> 'publicKey' AS "publicKey",
            to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
       FROM bemi.event_log WHERE log = $1 AND kind = 'key' AND payload ->> 'publicKey' IS NOT NULL ORDER BY event_log.sequence`,
    [log],
  );
  const origin = formatOrigin(row);
  const keys = events.map(({ sequence, publicKey, at }, i) => ({
    key: formatVerifierKey(verifierKey(sha256Into, origin, new Uint8Array(Buffer.from(publicKey, 'base64')))),
    ...{ sequence, since: at, isCurrent: i === events.length - 1 },
  }));
  return { origin, size: String(size), root: encodeBase64(root), checkpoint, signedAt, ageSeconds, keys };
}

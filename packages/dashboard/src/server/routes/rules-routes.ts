import { setTimeout as delay } from 'node:timers/promises';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import { rulesInForce } from '@bemi-db/trail/rules/recorded-rules';
import { CompiledRules } from '@bemi-db/trail/rules/table-rules';
import { noRules, parseTrackingRules, type TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import type { OpenAPIHono } from '@hono/zod-openapi';
import pg from 'pg';
import { z } from 'zod';
import { problemSchema } from '../../api/problem.ts';
import { type RulesInForce, rulesInForceSchema, rulesWantedSchema } from '../../api/rules.ts';
import { ApiProblem } from '../api-problem.ts';
import type { AuditReader } from '../audit-reader.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { lastShapes } from '../last-shapes.ts';
import { findLog } from '../log-numbers.ts';
import type { Principal } from '../principal.ts';
import { scopeOf } from '../scope.ts';

const ofLog = { params: z.object({ log: z.string().max(200) }) };
const tags = ['Sources'];
/** A worker that records answers at once. */
const patienceMs = 15_000;
const pollMs = 100;
const sqlStateInsufficientPrivilege = '42501';

/** `/api/v1/logs/{log}/rules`: what of a source is recorded, left out and redacted. */
export function rulesRoutes(app: OpenAPIHono<DashboardEnvironment>, reader: AuditReader): void {
  const inForce = (name: string, principal: Principal) =>
    reader.read(async (client) => {
      const { log } = await findLog(client, name);
      return await readRules(client, log, principal);
    });

  const show = guarded('sources:read', {
    ...{ method: 'get', path: '/api/v1/logs/{log}/rules', tags, summary: 'What of a source is recorded' },
    request: ofLog,
    responses: { 200: json(rulesInForceSchema, 'The rules in force') },
  });
  app.openapi(show, async (c) => c.json(await inForce(c.req.valid('param').log, c.get('principal')), 200));

  const set = guarded('sources:write', {
    ...{ method: 'put', path: '/api/v1/logs/{log}/rules', tags, summary: 'Set other rules' },
    description:
      'They hold for what is recorded from then on. The worker writes an entry of the log that has them, with who wanted it and why; it is answered once that is so.',
    request: {
      ...ofLog,
      body: { required: true, content: { 'application/json': { schema: rulesWantedSchema } } },
    },
    responses: {
      200: json(rulesInForceSchema, 'In force'),
      409: json(problemSchema, 'The worker refuses, or there is none'),
      422: json(problemSchema, 'These can’t be rules'),
    },
  });
  app.openapi(set, async (c) => {
    const { rules: wanted, reason, basedOn } = c.req.valid('json');
    const principal = c.get('principal');
    if (principal.tables !== undefined) {
      const message = 'Rules hold for all tables, and this account may see some only';
      throw new ApiProblem(403, 'scoped', message, 'Ask somebody who may see all.');
    }
    const parsed = parseTrackingRules(wanted);
    if ('problem' in parsed) throw new ApiProblem(422, 'rules', parsed.problem.message);
    const name = c.req.valid('param').log;
    const { log } = await reader.read((client) => findLog(client, name));
    const by = principal.email ?? principal.name;
    const asked = { event: 'rules-set', rules: parsed.rules, reason, by, basedOn };
    const id = await reader
      .write((client) => request(client, log, 'config', asked, principal.id))
      .catch(refuseReader);
    await untilAnswered(reader, id);
    return c.json(await inForce(name, principal), 200);
  });
}

async function readRules(client: pg.ClientBase, log: number, principal: Principal): Promise<RulesInForce> {
  const recorded = await rulesInForce(client, log);
  const rules = recorded?.rules ?? noRules;
  const shapes = await lastShapes(client, log, await scopeOf(client, log, principal));
  const compiled = new CompiledRules(rules);
  return {
    rules: principal.tables === undefined ? textsOf(rules) : null,
    sequence: recorded?.sequence ?? null,
    set: recorded
      ? {
          at: recorded.at,
          by: recorded.by ?? null,
          reason: principal.tables ? null : (recorded.reason ?? null),
        }
      : null,
    file: recorded?.origin === 'file' ? (recorded.file ?? 'the configuration file') : null,
    tables: shapes.map(({ schema, table, columns, key }) => {
      const meant = compiled.of({
        ...{ schema, table, rootSchema: schema, rootTable: table, columns, primaryKey: key },
      });
      return {
        ...{ schema, table, isRecorded: meant.isRecorded },
        columns: columns.map((name) => ({
          ...{ name, isKey: key.includes(name), isIgnored: meant.ignored.includes(name) },
          redaction: meant.redacted[name] ?? null,
        })),
      };
    }),
  };
}

function textsOf({ include, exclude, ignore, redact }: TrackingRules) {
  return { include: [...include], exclude: [...exclude], ignore: [...ignore], redact: { ...redact } };
}

/** @throws ApiProblem where the worker refuses, or doesn't answer: what was asked for then waits for it. */
async function untilAnswered(reader: AuditReader, id: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += pollMs) {
    const answer = await reader.read((client) => requestAnswer(client, id));
    if (answer && 'refusal' in answer)
      throw new ApiProblem(409, 'refused', `The worker refuses: ${answer.refusal}`, 'Nothing was changed.');
    if (answer) return;
    await delay(pollMs);
  }
  throw new ApiProblem(
    409,
    'no-answer',
    'No worker has answered in time: the change waits for it',
    'Start the worker. It does what was asked as soon as it records; asking again is not needed.',
  );
}

function refuseReader(error: unknown): never {
  if (!(error instanceof pg.DatabaseError) || error.code !== sqlStateInsufficientPrivilege) throw error;
  throw new ApiProblem(
    409,
    'sources-read-only',
    'This server’s role may only read the audit database',
    'Change rules where the worker runs: bemi start, or bemi rules.',
    { cause: error },
  );
}

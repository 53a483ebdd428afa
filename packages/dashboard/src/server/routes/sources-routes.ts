import { type ParsedConnection, parseConnectionString } from '@bemi-db/source/connection-string';
import {
  type AddedSource,
  addSource,
  changeSource,
  readAddedSources,
  readSealedUrl,
  removeSource,
  type SourceChanger,
  SourceNotChangedError,
} from '@bemi-db/trail/added-sources/added-sources';
import { openUrl, SealedUrlError, sealUrl } from '@bemi-db/trail/added-sources/sealed-url';
import { hasHealth, seenWorkers } from '@bemi-db/trail/health/read-health';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import pg from 'pg';
import { z } from 'zod';
import { problemSchema } from '../../api/problem.ts';
import {
  type Source,
  sourceChangeSchema,
  sourceCheckSchema,
  sourceChecksSchema,
  sourceDefaults,
  sourceSchema,
  sourcesSchema,
  sourceWantedSchema,
} from '../../api/source.ts';
import { ApiProblem } from '../api-problem.ts';
import { askerOf } from '../asker.ts';
import type { AuditReader } from '../audit-reader.ts';
import { type DashboardEnvironment, guarded, json } from '../guarded-route.ts';
import { readLogNames, readLogs } from '../log-numbers.ts';
import type { Principal } from '../principal.ts';
import { type AddedConnection, addedConnection } from '../sources/added-connection.ts';
import { checkConnection, whyUnreachable } from '../sources/check-connection.ts';
import { Looks } from '../sources/looks.ts';
import { sourceFor, sourceList } from '../sources/source-list.ts';
import type { SourceServices } from '../sources/source-services.ts';

const body = <T>(schema: T) => ({ body: { required: true, content: { 'application/json': { schema } } } });
const oneOf = { params: z.object({ source: z.string().max(200) }) };
const refusals = {
  409: json(problemSchema, 'Another source is in the way, or this server can’t do it'),
  422: json(problemSchema, 'The connection can’t be used, or its database can’t be reached'),
};
const refusesSecondCheck = { 429: json(problemSchema, 'A check runs already') };
const tags = ['Sources'];

/** `/api/v1/sources`: which databases are recorded, without their passwords; adding, changing and removing them. */
export function sourcesRoutes(
  app: OpenAPIHono<DashboardEnvironment>,
  { reader, services }: { readonly reader: AuditReader; readonly services: SourceServices },
): void {
  const listed = (principal: Principal) =>
    reader.read(async (client) => {
      const workers = (await hasHealth(client)) ? await seenWorkers(client) : [];
      const known = { added: await readAddedSources(client), logs: await readLogs(client), workers };
      return sourceList(services, known).map((source) => sourceFor(principal, source));
    });
  const looks = new Looks();
  /** It can be told from an answer which addresses are there: nobody is to ask for many. */
  const refuseUnreachable = async ({ parsed }: AddedConnection, { id }: Principal): Promise<void> => {
    const problem = await looks.by(id, () => whyUnreachable(parsed));
    if (problem) throw new ApiProblem(422, 'source-unreachable', problem.message, problem.fix);
  };
  const found = async (name: string, principal: Principal): Promise<Source> => {
    const all = (await listed(principal)).filter((each) => each.name === name);
    const source = all.find(({ origin }) => origin === 'added') ?? all[0];
    if (!source) throw unknownSource();
    return source;
  };

  const list = guarded('sources:read', {
    ...{ method: 'get', path: '/api/v1/sources', tags, summary: 'The databases that are recorded' },
    responses: { 200: json(sourcesSchema, 'By name, without their passwords') },
  });
  app.openapi(list, async (c) => {
    const whyNot = typeof services.key === 'string' ? services.key : null;
    return c.json({ sources: [...(await listed(c.get('principal')))], canAdd: whyNot === null, whyNot }, 200);
  });

  const one = guarded('sources:read', {
    ...{ method: 'get', path: '/api/v1/sources/{source}', tags, summary: 'One of them' },
    request: oneOf,
    responses: { 200: json(sourceSchema, 'As it is') },
  });
  app.openapi(one, async (c) => c.json(await found(c.req.valid('param').source, c.get('principal')), 200));

  const add = guarded('sources:write', {
    ...{ method: 'post', path: '/api/v1/sources', tags, summary: 'Add a source' },
    description:
      'A worker takes it up within seconds. The password is encrypted, and never sent back. What is done here is in the log of accesses.',
    request: body(sourceWantedSchema),
    responses: { 201: json(sourceSchema, 'It is added'), ...refusals, ...refusesSecondCheck },
  });
  app.openapi(add, async (c) => {
    const key = await sealingKey(services);
    const { name: given, connection: text, evenIfUnreachable, ...settings } = c.req.valid('json');
    const connection = addedConnection(text);
    const name = given ?? connection.target.database;
    refuseShared({ name, ...connection.target, ...settings }, services, await added(reader));
    if (!evenIfUnreachable) await refuseUnreachable(connection, c.get('principal'));
    const source = { name, ...connection.target, ...settings };
    await changing(reader, (client) =>
      addSource(client, source, sealUrl(connection.url, key, name), changerOf(c)),
    );
    return c.json(await found(name, c.get('principal')), 201);
  });

  const change = guarded('sources:write', {
    ...{ method: 'patch', path: '/api/v1/sources/{source}', tags, summary: 'Change a source that was added' },
    description: 'Settings need no password. A connection is replaced as a whole, with its password.',
    request: { ...oneOf, ...body(sourceChangeSchema) },
    responses: { 200: json(sourceSchema, 'As it is now'), ...refusals, ...refusesSecondCheck },
  });
  app.openapi(change, async (c) => {
    const name = c.req.valid('param').source;
    const { connection: text, evenIfUnreachable, ...settings } = c.req.valid('json');
    const before = await addedOf(reader, services, name);
    const connection = text === undefined ? undefined : addedConnection(text);
    const key = connection && (await sealingKey(services));
    const others = (await added(reader)).filter((other) => other.id !== before.id);
    refuseShared({ ...before, ...connection?.target, ...present(settings), name }, services, others);
    if (connection && !evenIfUnreachable) await refuseUnreachable(connection, c.get('principal'));
    const sealed = connection &&
      key && { target: connection.target, sealed: sealUrl(connection.url, key, name) };
    await changing(reader, (client) => changeSource(client, name, present(settings), sealed, changerOf(c)));
    return c.json(await found(name, c.get('principal')), 200);
  });

  const remove = guarded('sources:write', {
    ...{
      method: 'delete',
      path: '/api/v1/sources/{source}',
      tags,
      summary: 'Remove a source that was added',
    },
    description:
      'Its log stays. On the source its slot stays too, for which the server keeps WAL without end: the answer says what to run there.',
    request: oneOf,
    responses: { 200: json(z.object({ whenRemoved: z.array(z.string()) }), 'Removed'), ...refusals },
  });
  app.openapi(remove, async (c) => {
    const name = c.req.valid('param').source;
    await addedOf(reader, services, name);
    const { whenRemoved } = await found(name, c.get('principal'));
    await changing(reader, (client) => removeSource(client, name, changerOf(c)));
    return c.json({ whenRemoved }, 200);
  });

  checkRoute(app, reader, services);
}

/**
 * `POST /api/v1/source-checks`: one at a time for each asker, and few at once. Not below `/sources`, where each path is the
 * name of a source.
 */
function checkRoute(
  app: OpenAPIHono<DashboardEnvironment>,
  reader: AuditReader,
  services: SourceServices,
): void {
  const looks = new Looks();
  const check = guarded('sources:write', {
    ...{ method: 'post', path: '/api/v1/source-checks', tags, summary: 'Check a source, added or not' },
    description:
      'All that bemi doctor checks on a source, with what to do about it. Nothing is changed there.',
    request: body(sourceCheckSchema),
    responses: { 200: json(sourceChecksSchema, 'What was found'), ...refusals, ...refusesSecondCheck },
  });
  app.openapi(check, async (c) => {
    const asked = c.req.valid('json');
    const { id, tables } = c.get('principal');
    if (tables !== undefined) {
      const message = 'Checks name tables, and this account may see some only';
      throw new ApiProblem(403, 'scoped', message, 'Ask somebody who may see all.');
    }
    const checks = await looks.by(id, async () => {
      const { connection, slot, publication, name } = await checked(reader, services, asked);
      const logs = await reader.read(readLogNames);
      const names = { slot, publication, isNew: !logs.includes(name) };
      return await checkConnection(connection, names, c.req.raw.signal);
    });
    return c.json(checks, 200);
  });
}

interface Checked {
  readonly name: string;
  readonly connection: ParsedConnection;
  readonly slot: string;
  readonly publication: string;
}

async function checked(
  reader: AuditReader,
  services: SourceServices,
  { connection: text, name: wantedName, source: name, slot, publication }: z.infer<typeof sourceCheckSchema>,
): Promise<Checked> {
  const names = { slot, publication };
  if (text !== undefined) {
    const { parsed, target } = addedConnection(text);
    return { ...sourceDefaults, ...present(names), name: wantedName ?? target.database, connection: parsed };
  }
  const configured = services.configured.find((each) => each.name === name);
  if (configured) {
    const { connection, urlSetWith } = configured;
    return { ...configured, ...present(names), connection: parseConnectionString(connection, urlSetWith) };
  }
  const source = await addedOf(reader, services, name!);
  const key = await sealingKey(services);
  const sealed = await reader.read((client) => readSealedUrl(client, source.id)).catch(refuseReader);
  let url: string;
  try {
    if (!sealed) throw new SealedUrlError(source.name);
    url = openUrl(sealed, key, source.name);
  } catch (error) {
    if (error instanceof SealedUrlError) throw new ApiProblem(409, error.code, error.message, error.fix);
    throw error;
  }
  return { ...source, ...present(names), connection: addedConnection(url).parsed };
}

const sqlStateInsufficientPrivilege = '42501';

function refuseReader(error: unknown): never {
  if (!(error instanceof pg.DatabaseError) || error.code !== sqlStateInsufficientPrivilege) throw error;
  const [status, code, message, fix] = reasons.denied;
  throw new ApiProblem(status, code, message, fix, { cause: error });
}

function changerOf(c: Context<DashboardEnvironment>): SourceChanger {
  return askerOf(c);
}

/** What is given of it. */
function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

async function added(reader: AuditReader): Promise<readonly AddedSource[]> {
  return await reader.read(readAddedSources);
}

/** One that can be changed here. */
async function addedOf(
  reader: AuditReader,
  { configured }: SourceServices,
  name: string,
): Promise<AddedSource> {
  const source = (await added(reader)).find((each) => each.name === name);
  if (source) return source;
  const named = configured.find((each) => each.name === name);
  if (named) {
    throw new ApiProblem(
      409,
      'source-configured',
      `${name} is configured by ${named.configuredWith}, and can’t be changed here`,
      'Change it there, and start the worker again.',
    );
  }
  throw unknownSource();
}

function unknownSource(): ApiProblem {
  return new ApiProblem(404, 'unknown-source', 'There is no such source', 'GET /api/v1/sources lists them.');
}

async function sealingKey({ key }: SourceServices): Promise<Uint8Array> {
  if (typeof key !== 'string') {
    return await key().catch((cause: unknown) => {
      const message = 'The key that connections are encrypted with can’t be read or made';
      const fix = 'See that the state directory can be written, and source-secret in it is whole.';
      throw new ApiProblem(503, 'no-source-key', message, fix, { cause });
    });
  }
  const [message, ...fix] = key.split('. ');
  throw new ApiProblem(409, 'no-source-key', message!, fix.join('. '));
}

/** A log has one source, and a slot one reader. */
function refuseShared(
  wanted: { readonly name: string; readonly host: string; readonly port: number; readonly slot: string },
  { configured }: SourceServices,
  others: readonly AddedSource[],
): void {
  const { name, host, port, slot } = wanted;
  const all = [
    ...configured.map((each) => ({
      ...{ name: each.name, slot: each.slot, isConfigured: true },
      ...placeOf(parseConnectionString(each.connection, each.urlSetWith)),
    })),
    ...others.map((each) => ({ ...each, isConfigured: false })),
  ];
  const namesake = all.find((other) => other.name === name);
  if (namesake) {
    throw new ApiProblem(
      409,
      'source-exists',
      `There is a source ${name} already${namesake.isConfigured ? ', in the configuration' : ''}`,
      'Give this one, and so its log, another name.',
    );
  }
  const sharing = all.find((other) => other.slot === slot && other.host === host && other.port === port);
  if (sharing) {
    throw new ApiProblem(
      409,
      'shared-slot',
      `${sharing.name} has the replication slot ${slot} of ${host}:${port} already`,
      'A slot has one reader, and its name is common to all databases of a server: choose another name.',
    );
  }
}

function placeOf({ target: { host, port } }: ParsedConnection) {
  return { host, port };
}

const reasons: Readonly<
  Record<SourceNotChangedError['reason'], readonly [ApiProblem['status'], string, string, string]>
> = {
  'name-taken': [409, 'source-exists', 'There is a source of this name already', 'Choose another name.'],
  unknown: [404, 'unknown-source', 'There is no such source', 'GET /api/v1/sources lists them.'],
  'not-possible': [
    422,
    'source-settings',
    'The audit database does not take these settings',
    'Shorten them.',
  ],
  denied: [
    409,
    'sources-read-only',
    'This server’s role may only read the audit database',
    'Add sources where the worker runs: bemi start.',
  ],
  'older-schema': [
    503,
    'older-schema',
    'The audit database has no place for sources yet',
    'Start a worker of this version once: it brings the audit database up to date.',
  ],
  'read-only': [
    409,
    'sources-read-only',
    'The audit database takes no writes',
    'Use the primary: a standby only reads.',
  ],
};

async function changing(reader: AuditReader, work: Parameters<AuditReader['write']>[0]): Promise<void> {
  try {
    await reader.write(work);
  } catch (error) {
    if (!(error instanceof SourceNotChangedError)) throw error;
    const [status, code, message, fix] = reasons[error.reason];
    throw new ApiProblem(status, code, message, fix, { cause: error });
  }
}

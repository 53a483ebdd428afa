import type pg from 'pg';
import { readRows } from '../read-rows.ts';
import { type DdlFunctionOptions, ddlFunctions, ddlSchema } from './ddl-functions.ts';
import { eventTriggerNames, eventTriggers } from './ddl-triggers.ts';

/** What of a source has to do with DDL, at one moment. Plain data. */
export interface DdlSnapshot {
  /** As `server_version_num` counts. */
  readonly version: number;
  /** The functions that are there, with their bodies as the catalog has them. */
  readonly functions: readonly { readonly name: string; readonly body: string; readonly owner: string }[];
  readonly triggers: readonly InstalledEventTrigger[];
  /** The event trigger of the set-up guides, `_bemi_set_replica_identity_trigger`, which makes other roles' CREATE TABLE fail. */
  readonly hasGuideTrigger: boolean;
  /** Whether `event_triggers` is on for this session (PostgreSQL 17+); else true. */
  readonly areTriggersOn: boolean;
}

export interface InstalledEventTrigger {
  readonly name: string;
  readonly event: string;
  readonly tags: readonly string[];
  /** With its schema. */
  readonly function: string;
  /** `always`, `origin` (not where a session plays the replica), `replica` (only there), or `disabled`. */
  readonly state: 'always' | 'origin' | 'replica' | 'disabled';
}

/** `current`: as this version makes them. `other`: some are missing, disabled, or of another version or options. */
export type DdlInstallation = 'none' | 'current' | 'other';

const states: Readonly<Record<string, InstalledEventTrigger['state']>> = {
  A: 'always',
  O: 'origin',
  R: 'replica',
  D: 'disabled',
};

/** Reads catalogs only, as any role. On PostgreSQL 12 and later. */
export async function inspectDdl(client: pg.ClientBase): Promise<DdlSnapshot> {
  const [server] = await readRows<{ version: number; is_on: boolean; has_guide_trigger: boolean }>(
    client,
    serverQuery,
  );
  if (!server) throw new Error('The server answered a question about itself with nothing');
  const functions = await readRows<{ name: string; body: string; owner: string }>(client, functionsQuery);
  const triggers = await readRows<Omit<InstalledEventTrigger, 'state'> & { state: string }>(
    client,
    triggersQuery,
  );
  return {
    version: server.version,
    functions,
    triggers: triggers.map((trigger) => ({ ...trigger, state: states[trigger.state] ?? 'disabled' })),
    hasGuideTrigger: server.has_guide_trigger,
    areTriggersOn: server.is_on,
  };
}

/** Whether the functions are those that this version makes with these options. */
export function functionsInstalled(snapshot: DdlSnapshot, options: DdlFunctionOptions): DdlInstallation {
  if (snapshot.functions.length === 0) return 'none';
  const wanted = ddlFunctions(snapshot.version, options);
  const bodies = new Map(snapshot.functions.map(({ name, body }) => [name, body]));
  return wanted.every(({ name, body }) => bodies.get(name) === body) ? 'current' : 'other';
}

/** Whether the event triggers are there and fire always. */
export function triggersInstalled({ version, triggers }: DdlSnapshot): DdlInstallation {
  if (triggers.length === 0) return 'none';
  const installed = new Map(triggers.map((trigger) => [trigger.name, trigger]));
  const isCurrent = eventTriggers(version).every((wanted) => {
    const trigger = installed.get(wanted.name);
    return (
      trigger?.state === 'always' &&
      trigger.event === wanted.event &&
      trigger.function === `${ddlSchema}.${wanted.function}` &&
      [...trigger.tags].sort().join() === [...wanted.tags].sort().join()
    );
  });
  return isCurrent ? 'current' : 'other';
}

/** With which options the functions that are there were made; defaults where they can't be told. */
export function installedOptions(snapshot: DdlSnapshot): Required<DdlFunctionOptions> {
  for (const identity of ['full', 'default', 'unchanged'] as const)
    for (const statements of [true, false])
      if (functionsInstalled(snapshot, { identity, statements }) === 'current')
        return { identity, statements };
  return { identity: 'full', statements: true };
}

const serverQuery = `
  SELECT current_setting('server_version_num')::int4 AS version,
         coalesce(current_setting('event_triggers', true), 'on') = 'on' AS is_on,
         EXISTS (SELECT FROM pg_event_trigger WHERE evtname = '_bemi_set_replica_identity_trigger') AS has_guide_trigger`;

const functionsQuery = `
  SELECT p.proname::text AS name, p.prosrc AS body, pg_get_userbyid(p.proowner)::text AS owner
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE n.nspname = '${ddlSchema}' ORDER BY 1`;

const triggersQuery = `
  SELECT t.evtname::text AS name, t.evtevent::text AS event, coalesce(t.evttags, '{}') AS tags,
         format('%s.%s', n.nspname, p.proname) AS function, t.evtenabled::text AS state
    FROM pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
   WHERE t.evtname IN (${eventTriggerNames.map((name) => `'${name}'`).join(', ')}) ORDER BY 1`;

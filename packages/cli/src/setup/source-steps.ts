import type { NewTableIdentity } from '@bemi-db/source/ddl/ddl-functions';
import {
  type DdlSnapshot,
  inspectDdl,
  installedOptions,
  triggersInstalled,
} from '@bemi-db/source/ddl/inspect-ddl';
import { planDdl } from '@bemi-db/source/ddl/plan-ddl';
import { hasWorkingIdentity } from '@bemi-db/source/identity';
import { plan } from '@bemi-db/source/plan';
import type { PlanStep } from '@bemi-db/source/plan-step';
import { providerOf } from '@bemi-db/source/providers/recognise';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import { quoteTable } from '@bemi-db/source/table-name';
import type pg from 'pg';

export interface SourceSteps {
  readonly steps: readonly PlanStep[];
  /** Whether event triggers are missing, and this role may not make them. */
  readonly isWithoutTriggers: boolean;
}

/**
 * All that is missing on a source, event triggers included. These come before the publication, so that a table that is made
 * right after it has its identity.
 *
 * @param withTriggers - false leaves the event triggers and their functions as they are.
 * @param ddlText - whether entries of DDL have the statement's text. `undefined`: as it was chosen last time; `keep` at first.
 */
export async function sourceSteps(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  wanted: Wanted,
  withTriggers: boolean,
  ddlText: 'keep' | 'none' | undefined,
): Promise<SourceSteps> {
  const steps = alterable(snapshot, plan(snapshot, wanted));
  if (!withTriggers) return { steps, isWithoutTriggers: false };
  const ddl = await inspectDdl(client);
  const isAllowed = mayMakeTriggers(snapshot);
  const ddlSteps = planDdl(ddl, {
    identity: newTablesIdentity(snapshot, wanted, ddl),
    statements: ddlText === undefined ? installedOptions(ddl).statements : ddlText === 'keep',
  })
    .filter((step) => isAllowed || step.id !== 'ddl triggers')
    .map((step) => (step.id === 'ddl triggers' ? { ...step, needs: ['ddl functions'] } : step));
  const at = steps.findIndex((step) => step.id.startsWith('publication create') || step.kind === 'slot');
  const before = at === -1 ? steps.length : at;
  return {
    steps: [...steps.slice(0, before), ...ddlSteps, ...steps.slice(before)],
    isWithoutTriggers: !isAllowed && triggersInstalled(ddl) !== 'current',
  };
}

/**
 * Leaves out what this role may not alter, where it can be updated all the same: on a hosted server the provider's own tables.
 * What is found afterwards names them.
 */
function alterable({ tables }: SourceSnapshot, steps: readonly PlanStep[]): readonly PlanStep[] {
  const others = new Set(
    tables
      .filter((table) => !table.isAlterable && hasWorkingIdentity(table))
      .map((table) => quoteTable(table)),
  );
  return steps.filter(
    ({ kind, tables: [table] = [] }) => kind !== 'identity' || !table || !others.has(quoteTable(table)),
  );
}

/** What was chosen last time is known by the functions that it made. */
export function chosenIdentity(ddl: DdlSnapshot): 'full' | 'default' {
  return installedOptions(ddl).identity === 'default' ? 'default' : 'full';
}

/** Tables that are made later are published only by a publication for all tables. */
function newTablesIdentity(snapshot: SourceSnapshot, wanted: Wanted, ddl: DdlSnapshot): NewTableIdentity {
  const { publication } = snapshot;
  const isForAll = publication ? publication.isForAllTables : wanted.tables === 'all';
  if (isForAll) return wanted.identity ?? 'full';
  // Another publication of this database may need what is there.
  return ddl.functions.length > 0 ? installedOptions(ddl).identity : 'unchanged';
}

/** PostgreSQL leaves them to superusers; most providers let their administrators. */
function mayMakeTriggers({ role, server }: SourceSnapshot): boolean {
  if (role.isSuperuser) return true;
  return isHosted(server.provider) && providerOf(server.provider).eventTriggers.isAllowed !== 'no';
}

function isHosted(provider: SourceSnapshot['server']['provider']): boolean {
  return !['self-managed', 'docker', 'homebrew'].includes(provider);
}

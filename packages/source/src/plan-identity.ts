import {
  betterIdentity,
  hasWorkingIdentity,
  isUnidentifiable,
  type PlannedIdentity,
  whyFullBreaks,
} from './identity.ts';
import { PlanError, type PlanStep } from './plan-step.ts';
import type { SourceSnapshot, TableSnapshot } from './source-snapshot.ts';
import { displayTable, displayTables, nameOf, quoteTable } from './table-name.ts';

/** REPLICA IDENTITY for each table that should have another one. Each partition has an identity of its own. */
export function planIdentities(
  snapshot: SourceSnapshot,
  tables: readonly TableSnapshot[],
  preference: PlannedIdentity = 'full',
): readonly PlanStep[] {
  return tables.flatMap((table) => {
    const identity = betterIdentity(table, snapshot.server, preference);
    return identity === undefined ? [] : [identityStep(table, identity, snapshot.server)];
  });
}

/**
 * The application must never fail because of Bemi: a published table that no identity fits refuses every
 * UPDATE and DELETE.
 *
 * @throws {@link PlanError} when publishing these tables would do that.
 */
export function refuseUnidentifiable(snapshot: SourceSnapshot, tables: readonly TableSnapshot[]): void {
  const broken = tables.filter((table) => isUnidentifiable(table, snapshot.server));
  const [first] = broken;
  if (!first) return;
  throw new PlanError(
    'unidentifiable-table',
    `UPDATE and DELETE would fail once these are published: ${displayTables(broken)}. They have no primary ` +
      `key, and REPLICA IDENTITY FULL fails too: ${whyFullBreaks(first, snapshot.server)}`,
    `Give each a primary key (ALTER TABLE ${quoteTable(first)} ADD PRIMARY KEY …), or select the tables ` +
      'to record without them.',
  );
}

/**
 * The steps that must have been done before these tables are published: those that give an identity to a table without
 * one, which would refuse UPDATE and DELETE from then on.
 */
export function urgentIdentities(tables: readonly TableSnapshot[]): readonly string[] {
  return tables.filter((table) => !hasWorkingIdentity(table)).map(identityStepId);
}

function identityStepId(table: TableSnapshot): string {
  return `identity ${displayTable(table)}`;
}

function identityStep(
  table: TableSnapshot,
  identity: 'full' | 'default',
  server: SourceSnapshot['server'],
): PlanStep {
  const name = displayTable(table);
  const common = { id: identityStepId(table), kind: 'identity', tables: [nameOf(table)] } as const;
  if (identity === 'default') {
    return {
      ...common,
      title: `Identify rows of ${name} by their primary key`,
      sql: `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY DEFAULT;`,
      why: `${whyDefault(table, server)} Old rows show the primary key alone.`,
    };
  }
  return {
    ...common,
    title: `Keep the whole old row of ${name}`,
    sql: `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL;`,
    why:
      table.kind === 'partitioned'
        ? 'For its own description. Existing partitions have steps of their own: this reaches none of them.'
        : 'UPDATE and DELETE then write the old row to the WAL; otherwise "before" has the key alone, or ' +
          'they fail where there is no primary key. Changes the catalog alone, no rows.',
  };
}

function whyDefault(table: TableSnapshot, server: SourceSnapshot['server']): string {
  const reason = whyFullBreaks(table, server);
  return reason === undefined
    ? 'Without an identity its UPDATE and DELETE fail once it is published.'
    : `REPLICA IDENTITY FULL would make its UPDATE and DELETE fail: ${reason}.`;
}

import { applyPlan } from '@bemi-db/source/apply-plan';
import { plan } from '@bemi-db/source/plan';
import type { SourceSnapshot, Wanted } from '@bemi-db/source/source-snapshot';
import type pg from 'pg';
import type { Logger } from './logger.ts';

/**
 * Makes what an empty log's source lacks: publication, then slot (what is written after a slot and before its
 * publication can never be decoded). Before the publication, tables that could not be updated any more once they
 * are published get an identity: the application must never fail because of us. All else is left to `bemi setup`.
 *
 * @returns whether anything was made.
 */
export async function prepareSource(
  client: pg.ClientBase,
  snapshot: SourceSnapshot,
  wanted: Wanted,
  logger: Logger,
): Promise<boolean> {
  const steps = plan(withUrgentIdentities(snapshot), wanted).filter(
    // A publication that exists is its owner's business; the worker's role may not even be able to change it.
    (step) => step.kind === 'slot' || (step.kind !== 'role' && snapshot.publication === undefined),
  );
  await applyPlan(client, steps, {
    onProgress: ({ step, state }) => {
      if (state === 'done') logger.info({ step: step.id, sql: step.sql }, step.title);
    },
  });
  return steps.length > 0;
}

/** As if every table that can be updated once it is published had the identity that it should have. */
function withUrgentIdentities(snapshot: SourceSnapshot): SourceSnapshot {
  return {
    ...snapshot,
    tables: snapshot.tables.map((table) =>
      table.kind === 'partitioned' || canBeUpdatedOncePublished(table)
        ? { ...table, identity: 'full' }
        : table,
    ),
  };
}

function canBeUpdatedOncePublished(table: SourceSnapshot['tables'][number]): boolean {
  switch (table.identity) {
    case 'full':
      return true;
    case 'default':
      return table.hasPrimaryKey;
    case 'index':
      return table.hasIdentityIndex;
    case 'nothing':
      return false;
  }
}

import { type Coverage, type CoverageSource, type CoverageTable, missingFrom } from './coverage-document.ts';

/** Something that was recorded, and is no longer. */
export interface CoverageLoss {
  /** What it is of. */
  readonly of: 'table' | 'publication' | 'event triggers';
  /** Of a table. */
  readonly oid?: number;
  /** For people: `public.visit: UNLOGGED: nothing is recorded`. No value of a row is in it. */
  readonly what: string;
}

/** What is recorded less than before. A table that was dropped is one; a table that was never recorded is none. */
export function coverageLosses(before: Coverage, now: Coverage): readonly CoverageLoss[] {
  const losses: CoverageLoss[] = [...sourceLosses(before.source, now.source)];
  for (const [oid, table] of before.tables) {
    const what = tableLoss(table, now.tables.get(oid), before.source, now.source);
    if (what !== undefined) losses.push({ of: 'table', oid, what: `${table.schema}.${table.name}: ${what}` });
  }
  return losses;
}

function sourceLosses(before: CoverageSource, now: CoverageSource): readonly CoverageLoss[] {
  const losses: CoverageLoss[] = [];
  const had = before.publication;
  if (had && !now.publication) losses.push({ of: 'publication', what: `publication ${had.name} is gone` });
  const unsent =
    had?.operations.filter((operation) => !(now.publication?.operations.includes(operation) ?? true)) ?? [];
  if (unsent.length > 0)
    losses.push({ of: 'publication', what: `publication ${had?.name} no longer sends ${unsent.join(', ')}` });
  const off = Object.entries(before.eventTriggers.triggers).flatMap(([name, state]) => {
    const is = now.eventTriggers.triggers[name];
    return (state === 'always' || state === 'origin') && is !== 'always' && is !== 'origin'
      ? [`${name} is ${is ?? 'gone'}`]
      : [];
  });
  if (before.eventTriggers.on && !now.eventTriggers.on) off.push('event_triggers is off');
  if (
    before.eventTriggers.functions === 'current' &&
    now.eventTriggers.functions !== 'current' &&
    off.length === 0
  )
    off.push('their functions are others');
  if (off.length > 0)
    losses.push({ of: 'event triggers', what: `DDL may not be recorded: ${off.join(', ')}` });
  return losses;
}

function tableLoss(
  before: CoverageTable,
  now: CoverageTable | undefined,
  sourceBefore: CoverageSource,
  sourceNow: CoverageSource,
): string | undefined {
  if (before.kind === 'partitioned table') return undefined;
  const missingBefore = missingFrom(before, sourceBefore);
  const wasRecorded = before.persistence === 'permanent' && before.published;
  if (!now) return wasRecorded ? 'the table is gone' : undefined;
  // What the publication no longer sends of all tables is said once.
  const missing = missingFrom(now, {
    ...sourceNow,
    publication: sourceNow.publication && sourceBefore.publication,
  });
  const lost = missing.filter((each) => !missingBefore.includes(each));
  return wasRecorded && lost.length > 0 ? lost.join('; ') : undefined;
}

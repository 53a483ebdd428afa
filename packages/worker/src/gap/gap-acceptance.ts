import type { SourceSnapshot } from '@bemi-db/source/source-snapshot';
import type { Relocation } from '@bemi-db/trail/append/append-unit';
import type { SourceState } from '@bemi-db/trail/sources';
import type { SystemIdentity } from '../identify-system.ts';
import { ProblemError } from '../problem.ts';
import { type RefusalCode, RefusalError } from '../refusal.ts';
import { decideStart, isLost, type SourceFacts, type StartDecision } from '../start-decision.ts';

/** Why the worker refuses to go on. */
export interface Refused {
  readonly code: RefusalCode;
  readonly message: string;
}

/** What somebody is asked to accept. */
export interface FoundGap extends Refused {
  readonly database: string;
  /** Up to where the log is complete. */
  readonly fromLsn: string;
  /** Where recording goes on; `undefined` when a new slot has to be made first. */
  readonly toLsn: string | undefined;
  /** Of the history that begins with it. */
  readonly generation: number;
  readonly entries: number;
  /** How many entries had been signed, where some of them are gone. */
  readonly lostSize: number | undefined;
}

export interface GapAcceptance {
  /** Why the worker refused when it was last run. What only shows while it streams is not looked for again. */
  readonly refused: Refused;
  /** Asked before anything is changed. Throws to leave everything as it is. */
  readonly confirm: (gap: FoundGap) => Promise<void>;
}

/** A gap on its way into the log. */
export interface AcceptedGap {
  readonly found: FoundGap;
  /** As it will be once the event is committed. */
  readonly state: SourceState;
  readonly relocation: Relocation & { readonly kind: 'gap' };
  /** The largest checkpoint that is given up. */
  readonly lost: string | undefined;
}

/**
 * What accepting can cure: the source can't give what follows the log's end, is another one than it was, or signed
 * entries are gone. Not a log that was altered, nor a source that is another database.
 */
const acceptable: ReadonlySet<RefusalCode> = new Set([
  'slot-missing',
  'slot-lost',
  'slot-ahead',
  'source-behind',
  'other-cluster',
  'other-timeline',
  'history-changed',
  'log-cut',
]);

/** Refusals that don't show before the stream, or the tree, has been looked at. */
const laterRefusals: ReadonlySet<RefusalCode> = new Set(['history-changed', 'log-cut']);

export function isAcceptable(code: string): code is RefusalCode {
  return (acceptable as ReadonlySet<string>).has(code);
}

/**
 * As {@link decideStart}; where somebody accepts a gap, what is refused instead.
 *
 * @throws RefusalError for what is refused and not accepted.
 * @throws ProblemError when there is nothing to accept.
 */
export function decideOrAccept(
  recorded: SourceState,
  source: SourceFacts,
  acceptance: GapAcceptance | undefined,
): StartDecision | { readonly refused: Refused } {
  if (!acceptance) return decideStart(recorded, source);
  try {
    decideStart(recorded, source);
  } catch (error) {
    if (!(error instanceof RefusalError && isAcceptable(error.code))) throw error;
    return { refused: { code: error.code, message: error.message } };
  }
  const { refused } = acceptance;
  if (laterRefusals.has(refused.code)) return { refused };
  throw nothingToAccept();
}

export function nothingToAccept(): ProblemError {
  return new ProblemError({
    code: 'no-gap',
    message: 'There is no gap to accept: the source goes on where the log ends',
    fix: 'Start the worker.',
    kind: 'refuse',
  });
}

export interface GapTree {
  readonly generation: number;
  readonly lost: { readonly size: number; readonly text: string } | undefined;
}

export function foundGap(
  refused: Refused,
  state: SourceState,
  { slot }: SourceSnapshot,
  { generation, lost }: GapTree,
): FoundGap {
  const isUsable = slot && !isLost(slot);
  return {
    ...refused,
    database: state.database,
    fromLsn: state.confirmedLsn,
    toLsn: isUsable ? slot.confirmedFlushLsn : undefined,
    generation,
    entries: state.nextSequence,
    lostSize: lost?.size,
  };
}

/** @param snapshot - with the slot from which recording goes on. */
export function acceptedGap(
  found: FoundGap,
  state: SourceState,
  snapshot: SourceSnapshot,
  system: SystemIdentity,
  { lost }: GapTree,
): AcceptedGap {
  const toLsn = snapshot.slot?.confirmedFlushLsn;
  if (toLsn === undefined) throw new Error('The slot has no position');
  const relocation = {
    kind: 'gap',
    generation: found.generation,
    systemIdentifier: system.systemIdentifier,
    slot: snapshot.slot!.name,
    publication: snapshot.publication?.name ?? state.publication,
    timeline: system.timeline,
    toLsn,
  } as const;
  return {
    found: { ...found, toLsn },
    relocation,
    lost: lost?.text,
    state: {
      ...state,
      ...relocation,
      confirmedLsn: toLsn,
      resumedLsn: toLsn,
      coveredLsn: toLsn,
      lastFinalLsn: '0/0',
    },
  };
}

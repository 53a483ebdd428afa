import type { Lsn } from '@bemi-db/replication/lsn';
import type { ActorMemory } from './actor-memory.ts';
import type { JudgedTransaction } from './authenticity/context-authenticity.ts';
import type { PeriodRules } from './rules/rules-in-force.ts';

/** A source transaction while it is being read. */
export interface OpenTransaction extends JudgedTransaction {
  readonly finalLsn: Lsn;
  readonly xid: number;
  /** Those that were in force for it; `undefined` where there were none. */
  readonly rules: PeriodRules | undefined;
  /** It is in the log already: compare, don't record. */
  isRepeated: boolean;
  /** Sequence of its first entry, by which the log knows it. */
  sequence: number | undefined;
  changeCount: number;
  contextCount: number;
  /** The context in force, as it came; the same bytes again change nothing. */
  context: Buffer | undefined;
  /** Whether the context in force is an entry yet. It becomes one when a change needs it. */
  isContextPending: boolean;
  /** What triggers say of who it is. */
  actors: ActorMemory | undefined;
  ddlCount: number;
  /** Token of a probe, to be recorded with its commit. */
  probe: string | undefined;
}

/** At its Begin. */
export function openTransaction({
  finalLsn,
  xid,
  committedAtMicros,
  rules,
  isRepeated,
}: Pick<
  OpenTransaction,
  'finalLsn' | 'xid' | 'committedAtMicros' | 'rules' | 'isRepeated'
>): OpenTransaction {
  return {
    finalLsn,
    xid,
    committedAtMicros,
    rules,
    isRepeated,
    sequence: undefined,
    changeCount: 0,
    contextCount: 0,
    context: undefined,
    isContextPending: false,
    actors: undefined,
    ddlCount: 0,
    probe: undefined,
    nonces: undefined,
  };
}

/** The number of the context that holds for what comes now: what comes before the first takes that one. */
export function contextNumber({ contextCount }: OpenTransaction): number {
  return Math.max(contextCount - 1, 0);
}

/**
 * Named places in the pipeline where tests make things fail. Each step has two: `before` it has done anything, and
 * `after`, when it has succeeded but whoever asked does not get to know.
 */
export type FailpointStep =
  /** Both sides are connected, checked and locked. */
  | 'open'
  /** A table is asked for in the source's catalog. */
  | 'look-up'
  /** A part of a large source transaction is written. */
  | 'append'
  /** What completes an audit transaction is written and committed. */
  | 'commit'
  /** The slot is told. */
  | 'confirm';
export type Failpoint = `${FailpointStep}:${'before' | 'after'}`;

/** What a hook can do at `commit:before` beside that. */
export interface FailpointActs {
  /** Tells the slot of what is about to be committed: what must never be done, to see that a test notices. */
  readonly confirm: () => void;
}

/** Called at a failpoint. Throws to fail there, waits to delay, or ends the process. */
export type FailpointHook = (name: Failpoint, acts?: FailpointActs) => Promise<void> | void;

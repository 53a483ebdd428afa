/**
 * Named places in the pipeline where tests make things fail. Each step has two: `before` it has done anything, and
 * `after`, when it has succeeded but whoever asked does not get to know.
 */
export type FailpointStep =
  | 'connect'
  | 'look-up'
  | 'receive'
  | 'fence'
  | 'copy'
  | 'advance'
  | 'commit'
  | 'confirm';
export type Failpoint = `${FailpointStep}:${'before' | 'after'}`;

/** Called at a failpoint. Throws to fail there, waits to delay, or ends the process. */
export type FailpointHook = (name: Failpoint) => Promise<void> | void;

import { nowMicros } from './clock.ts';

/** Prefix of the messages that are sent through to see whether they arrive (docs/spec/context-message.md, Probe). */
export const PROBE_PREFIX = '_bemi_probe';

const tokenPattern = /^[A-Za-z0-9_-]{1,64}$/;
/** Any role can send one: so often at most they are recorded. */
const intervalMicros = 1_000_000n;

/** The token of a probe, or `undefined` where the message is none. */
export function probeToken(content: Buffer): string | undefined {
  if (content.length > 64) return undefined;
  const text = content.toString('latin1');
  return tokenPattern.test(text) ? text : undefined;
}

/** Lets a probe pass at most every second, by the worker's clock: a flood of them can't fill the log. */
export class ProbeLimit {
  #lastMicros: bigint | undefined;

  /** Whether one may be recorded now; it then counts as recorded. */
  take(micros = nowMicros()): boolean {
    const last = this.#lastMicros;
    // A clock that was set back must not close it for long.
    if (last !== undefined && micros >= last && micros - last < intervalMicros) return false;
    this.#lastMicros = micros;
    return true;
  }
}

import type { AlertRule, Severity, Verdict } from './alert-rules.ts';

/** An alert that somebody is, or was, told of. Plain data: it is kept in a file, and sent. */
export interface Alert {
  readonly id: string;
  readonly severity: Severity;
  readonly state: 'firing' | 'cleared';
  /** What was seen. Holds no row values and no secrets. */
  readonly evidence: string;
  readonly fix: string;
  /** When it began to fire, ISO 8601. */
  readonly since: string;
  /** When it came to this state. */
  readonly at: string;
}

interface Standing {
  /** Since when the verdict goes against the alert's state, in ms of this process. */
  againstSinceMs: number | undefined;
  firing: Alert | undefined;
}

/**
 * Which alerts fire, with hysteresis: a condition must hold for a while before its alert fires, and be gone for a while
 * before it is over, so that nobody is called for a moment, or twice for one cause.
 */
export class AlertStates {
  readonly #standings = new Map<string, Standing>();

  /** @param firing - those that fired when the process last ended. */
  constructor(firing: readonly Alert[] = []) {
    for (const alert of firing) this.#standings.set(alert.id, { againstSinceMs: undefined, firing: alert });
  }

  get firing(): readonly Alert[] {
    return [...this.#standings.values()].flatMap(({ firing }) => firing ?? []);
  }

  /** @returns the alert, if its state has changed. */
  judge(
    rule: AlertRule,
    judged: { readonly verdict: Verdict; readonly evidence: string } | undefined,
    { nowMs, now }: { readonly nowMs: number; readonly now: Date },
  ): Alert | undefined {
    const standing = this.#standings.get(rule.id) ?? { againstSinceMs: undefined, firing: undefined };
    this.#standings.set(rule.id, standing);
    const { firing } = standing;
    if (judged?.verdict !== (firing ? 'good' : 'bad')) {
      standing.againstSinceMs = undefined;
      return undefined;
    }
    standing.againstSinceMs ??= nowMs;
    if (nowMs - standing.againstSinceMs < (firing ? rule.clearAfterMs : rule.fireAfterMs)) return undefined;
    standing.againstSinceMs = undefined;
    const at = now.toISOString();
    const { id, severity, fix } = rule;
    const alert: Alert = firing
      ? { ...firing, state: 'cleared', evidence: judged.evidence, at }
      : { id, severity, state: 'firing', evidence: judged.evidence, fix, since: at, at };
    standing.firing = firing ? undefined : alert;
    return alert;
  }
}

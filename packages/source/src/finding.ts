/** What a check found out about one thing. */
export interface Finding {
  /** Stable, in kebab-case: what was checked, such as `wal-level`. */
  readonly id: string;
  /**
   * `failure`: changes aren't recorded, or the application's writes fail. `warning`: they lack something. `unknown`: it could
   * not be looked at.
   */
  readonly verdict: 'ok' | 'warning' | 'failure' | 'unknown';
  /** The state that is found, in a line. */
  readonly title: string;
  /** What was seen: settings, names, LSNs. Never values of rows. */
  readonly evidence: string;
  /** What to do, with the SQL or the command where there is one; empty when all is well. */
  readonly fix: string;
  /** The SQL of `fix`, a statement each, in order; empty when no SQL cures it. May need a superuser. */
  readonly sql: readonly string[];
}

export function ok(id: string, title: string, evidence: string): Finding {
  return { id, verdict: 'ok', title, evidence, fix: '', sql: [] };
}

/** @param advice - how it can be known; empty where something else has to be cured first. */
export function unknown(id: string, title: string, evidence: string, advice = ''): Finding {
  return { id, verdict: 'unknown', title, evidence, fix: advice, sql: [] };
}

/** @param advice - in words; the SQL is added to it. */
export function problem(
  verdict: 'warning' | 'failure',
  id: string,
  title: string,
  evidence: string,
  advice: string,
  sql: readonly string[] = [],
): Finding {
  const shown = sql.slice(0, 20);
  const rest = sql.length - shown.length;
  const lines = rest > 0 ? [...shown, `-- and ${rest} more: bemi setup --dry-run prints them all`] : shown;
  return { id, verdict, title, evidence, fix: [advice, ...lines].join('\n'), sql };
}

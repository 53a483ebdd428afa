const given = new Set<string>();

/** Gives a warning by Node's `process.emitWarning`, once in the process. */
export function warnOnce(code: string, warning: string, detail: string): void {
  if (given.has(warning)) return;
  given.add(warning);
  process.emitWarning(warning, { code, detail });
}

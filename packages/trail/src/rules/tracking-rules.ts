import { parseNamePattern } from './name-pattern.ts';

/** What takes the place of a column's values: nothing, a mask, or a keyed hash by which equal values are known. */
export type Redaction = (typeof redactions)[number];

export const redactions = ['omit', 'mask', 'hash'] as const;

/** What of a source is recorded, docs/spec/log.md. Lists are sorted, and hold nothing twice. */
export interface TrackingRules {
  readonly version: 1;
  /** Patterns of tables; with none, every table is recorded. */
  readonly include: readonly string[];
  /** Patterns of tables that are not, whatever else is said. */
  readonly exclude: readonly string[];
  /** Patterns of columns: a change in which only these differ is not recorded. */
  readonly ignore: readonly string[];
  /** By pattern of columns. */
  readonly redact: Readonly<Record<string, Redaction>>;
}

export const noRules: TrackingRules = { version: 1, include: [], exclude: [], ignore: [], redact: {} };

/** What is wrong with rules, and where. */
export interface RulesProblem {
  /** Members and positions that lead there. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  /** Of the names that are known there, where the one at hand is none. */
  readonly known?: readonly string[];
}

const lists = { include: 'table', exclude: 'table', ignore: 'column' } as const;
const members = ['version', ...Object.keys(lists), 'redact'];
const most = 1_000;

/** Reads rules from JSON or YAML, whoever wrote it. What is left out is empty. */
export function parseTrackingRules(
  value: unknown,
): { readonly rules: TrackingRules } | { readonly problem: RulesProblem } {
  const problem = (path: RulesProblem['path'], message: string, known?: readonly string[]) => ({
    problem: { path, message, ...(known ? { known } : {}) },
  });
  if (!isObject(value)) return problem([], 'Rules are an object with include, exclude, ignore and redact');
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) return problem([unknown], `${unknown} is no rule`, members.slice(1));
  if (value['version'] !== undefined && value['version'] !== 1)
    return problem(['version'], 'The version of rules is 1');
  const texts: Record<string, string[]> = {};
  for (const [name, kind] of Object.entries(lists)) {
    const list = value[name] ?? [];
    if (!Array.isArray(list)) return problem([name], `${name} is a list of patterns`);
    if (list.length > most) return problem([name], `${name} has more than ${most} patterns`);
    for (const [i, text] of list.entries()) {
      const wrong = patternProblem(text, kind);
      if (wrong !== undefined) return problem([name, i], wrong);
    }
    texts[name] = [...new Set(list as string[])].sort();
  }
  const redact = value['redact'] ?? {};
  if (!isObject(redact))
    return problem(['redact'], `redact has a pattern of columns, and ${oneOf}, in each line`);
  const entries = Object.entries(redact);
  if (entries.length > most) return problem(['redact'], `redact has more than ${most} patterns`);
  for (const [text, redaction] of entries) {
    const wrong = patternProblem(text, 'column');
    if (wrong !== undefined) return problem(['redact', text], wrong);
    if (!redactions.includes(redaction as Redaction))
      return problem(['redact', text], `A column is redacted by ${oneOf}`, redactions);
  }
  const { include = [], exclude = [], ignore = [] } = texts;
  const sorted = (entries as [string, Redaction][]).sort(([a], [b]) => (a < b ? -1 : 1));
  return { rules: { version: 1, include, exclude, ignore, redact: Object.fromEntries(sorted) } };
}

const oneOf = 'omit, mask or hash';

function patternProblem(text: unknown, kind: 'table' | 'column'): string | undefined {
  if (typeof text !== 'string' || text === '') return `A pattern of ${kind}s is a text`;
  // It stands in the log: PostgreSQL must be able to take it out of JSON again.
  if (/\p{Cc}|\p{Surrogate}/u.test(text)) return 'A pattern has no control characters';
  const pattern = parseNamePattern(text, kind);
  return typeof pattern === 'string'
    ? `${JSON.stringify(text)} is no pattern of ${kind}s: ${pattern}`
    : undefined;
}

/** Whether two say the same. */
export function areSameRules(a: TrackingRules, b: TrackingRules): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Whether anything is left out or redacted at all. */
export function isWithoutRules(rules: TrackingRules): boolean {
  return areSameRules(rules, noRules);
}

/** Whether a column is to be hashed, which takes a key. */
export function needsHashKey({ redact }: TrackingRules): boolean {
  return Object.values(redact).includes('hash');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import {
  parseTrackingRules,
  type Redaction,
  redactions,
  type TrackingRules,
} from '@bemi-db/trail/rules/tracking-rules';
import { usageError } from '../cli-error.ts';

/** `bemi rules include`, `exclude`, `ignore` and `redact`: what is added or taken away. */
export interface RulesChange {
  readonly list: 'include' | 'exclude' | 'ignore' | 'redact';
  /** Patterns; of `redact` with `=` and how, unless they are removed. */
  readonly patterns: readonly string[];
  readonly isRemoval: boolean;
}

/**
 * The rules after a change. Pure.
 *
 * @throws CliError where a pattern is none, or what is to be removed is not there.
 */
export function changedRules(
  rules: TrackingRules,
  { list, patterns, isRemoval }: RulesChange,
): TrackingRules {
  if (isRemoval) {
    const there = list === 'redact' ? Object.keys(rules.redact) : rules[list];
    const missing = patterns.find((pattern) => !there.includes(pattern));
    if (missing !== undefined) {
      throw usageError(
        `There is no rule ${list} ${missing}`,
        there.length === 0 ? `No pattern is in ${list}.` : `Those in force: ${there.join(', ')}`,
      );
    }
  }
  const isKept = (pattern: string): boolean => !(isRemoval && patterns.includes(pattern));
  const changed =
    list === 'redact'
      ? {
          ...Object.fromEntries(Object.entries(rules.redact).filter(([pattern]) => isKept(pattern))),
          ...(isRemoval ? {} : Object.fromEntries(patterns.map(redactionOf))),
        }
      : [...rules[list].filter(isKept), ...(isRemoval ? [] : patterns)];
  const parsed = parseTrackingRules({ ...rules, [list]: changed });
  if ('rules' in parsed) return parsed.rules;
  throw usageError(parsed.problem.message, 'bemi rules --help shows what can be written.');
}

function redactionOf(text: string): [string, Redaction] {
  const at = text.lastIndexOf('=');
  const how = redactions.find((each) => each === text.slice(at + 1));
  if (at > 0 && how) return [text.slice(0, at), how];
  throw usageError(
    `${JSON.stringify(text)} does not say how to redact`,
    `Write COLUMN=HOW, such as public.users.ssn=hash; how is one of ${redactions.join(', ')}.`,
  );
}

import type { RulesTexts } from '../../api/rules.ts';

/** What a pattern does. */
export type RuleKind = 'exclude' | 'include' | 'ignore' | 'omit' | 'mask' | 'hash';

export interface Rule {
  readonly kind: RuleKind;
  readonly pattern: string;
}

/** Each pattern of rules, in the order in which they are shown. Pure, as all here. */
export function rulesOf({ include, exclude, ignore, redact }: RulesTexts): readonly Rule[] {
  return [
    ...include.map((pattern): Rule => ({ kind: 'include', pattern })),
    ...exclude.map((pattern): Rule => ({ kind: 'exclude', pattern })),
    ...ignore.map((pattern): Rule => ({ kind: 'ignore', pattern })),
    ...Object.entries(redact).map(([pattern, kind]): Rule => ({ kind, pattern })),
  ];
}

/** The rules with one more. */
export function withRule(rules: RulesTexts, { kind, pattern }: Rule): RulesTexts {
  if (kind === 'exclude' || kind === 'include' || kind === 'ignore')
    return { ...rules, [kind]: [...rules[kind].filter((each) => each !== pattern), pattern] };
  return { ...rules, redact: { ...rules.redact, [pattern]: kind } };
}

/** The rules without one of them. */
export function withoutRule(rules: RulesTexts, { kind, pattern }: Rule): RulesTexts {
  if (kind === 'exclude' || kind === 'include' || kind === 'ignore')
    return { ...rules, [kind]: rules[kind].filter((each) => each !== pattern) };
  return {
    ...rules,
    redact: Object.fromEntries(Object.entries(rules.redact).filter(([each]) => each !== pattern)),
  };
}

/** The pattern that names one table, or one of its columns, and nothing else. */
export function exactPattern(...names: readonly string[]): string {
  return names.map((name) => (/^[^*."]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`)).join('.');
}

import { readFileSync } from 'node:fs';
import {
  parseTrackingRules,
  type RulesProblem,
  type TrackingRules,
} from '@bemi-db/trail/rules/tracking-rules';
import { type CliError, configurationError, usageError } from '../cli-error.ts';
import {
  type DocumentPath,
  type LocatedDocument,
  parseLocatedDocument,
} from '../configuration/located-document.ts';
import { nearestName } from '../configuration/nearest-name.ts';

/**
 * Reads rules from a file of their own: YAML or JSON.
 *
 * @throws CliError with file, line and column of what is wrong.
 */
export function readRulesFile(path: string): TrackingRules {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw usageError(
      `${path} can't be read: ${(error as NodeJS.ErrnoException).code}`,
      'Name a file with the rules, in YAML or JSON: docs/tracking-rules.md.',
    );
  }
  return rulesAt(parseLocatedDocument(text, path), []);
}

/** The rules that stand at a place in a document. */
export function rulesAt(document: LocatedDocument, path: DocumentPath): TrackingRules {
  const value = path.reduce<unknown>(
    (each, step) => (each as Record<string | number, unknown>)[step],
    document.value,
  );
  const parsed = parseTrackingRules(value ?? {});
  if ('rules' in parsed) return parsed.rules;
  throw rulesProblem(parsed.problem, document.place([...path, ...parsed.problem.path]));
}

export function rulesProblem({ message, known, path }: RulesProblem, place: string): CliError {
  const name = String(path.at(-1) ?? '');
  const nearest = known && nearestName(name, known);
  const fix =
    nearest !== undefined
      ? `Did you mean ${nearest}?`
      : known
        ? `Write one of ${known.join(', ')}.`
        : 'Correct it; docs/tracking-rules.md says what can be written.';
  return configurationError(`${place}: ${message}`, fix);
}

import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { RecordedRules } from '@bemi-db/trail/rules/recorded-rules';
import type { TrackingRules } from '@bemi-db/trail/rules/tracking-rules';
import { labelledLines } from '../output/labelled-lines.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

/** What is recorded and what is redacted, for people. */
export function rulesText(rules: TrackingRules, style: TextStyle): string {
  const list = (patterns: readonly string[]): string => patterns.map(harmless).join('\n');
  const columns = Object.entries(rules.redact);
  const width = Math.max(...columns.map(([pattern]) => harmless(pattern).length));
  const redacted = columns.map(([pattern, how]) => `${harmless(pattern).padEnd(width)}  ${how}`);
  return labelledLines(
    [
      ['Recorded', rules.include.length === 0 ? 'every published table' : list(rules.include)],
      ...(rules.exclude.length === 0 ? [] : [['But not', list(rules.exclude)] as const]),
      ...(rules.ignore.length === 0 ? [] : [['Ignored', list(rules.ignore)] as const]),
      ...(redacted.length === 0 ? [] : [['Redacted', redacted.join('\n')] as const]),
    ],
    style,
  );
}

/** Who set them, when and why. */
export function rulesOriginText(recorded: RecordedRules, { colors, timeZone }: TextStyle): string {
  const { sequence, at, origin, file, reason, by } = recorded;
  const who =
    origin === 'file' && by === undefined ? `by ${file ?? 'its configuration file'}` : `by ${by ?? 'nobody'}`;
  const why = reason === undefined ? '' : `: ${reason}`;
  return colors.dim(
    `  Set ${momentText(at, timeZone)} ${harmless(who)}${harmless(why)} (entry ${countText(String(sequence))})\n`,
  );
}

/** In one line, for `bemi status`. */
export function rulesSummary({ include, exclude, ignore, redact }: TrackingRules): string {
  const counted = (count: number, what: string): string[] =>
    count === 0 ? [] : [`${count} ${count === 1 ? 'pattern' : 'patterns'} ${what}`];
  const parts = [
    ...counted(include.length, 'of tables that are recorded'),
    ...counted(exclude.length, 'of tables that are not'),
    ...counted(ignore.length, 'of columns that are ignored'),
    ...counted(Object.keys(redact).length, 'of columns that are redacted'),
  ];
  return parts.join(', ');
}

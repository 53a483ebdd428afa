import type { RecordedAccess } from '@bemi-db/trail/access/recorded-access';
import { accessFacts } from '@bemi-db/trail/facts/access-facts';
import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import { momentText } from './moment-text.ts';
import type { TextStyle } from './text-style.ts';

/** On a terminal, a longer piece of a sentence is cut. */
const longestPiece = 60;

/**
 * An access as people say it: when, who, what of it, how much it was, by what and from where.
 *
 * @example
 * accessSentence(access, textStyle(process.stdout));
 * // 2026-11-22 02:42:25  maria viewed Patient 42 in app: 12 changes, up to entry 4,711  [bemi history · bemi_reader]
 */
export function accessSentence(access: RecordedAccess, style: TextStyle): string {
  const { colors, timeZone, columns } = style;
  const cut = (text: string): string => (columns === undefined ? text : shortened(text, longestPiece));
  const at = access.at ?? access.recordedAt;
  const when = at === undefined ? '' : colors.dim(momentText(at, timeZone));
  if (access.isErased) return `${when}  somebody looked at the trail: who and at what was erased`;
  const moment = (iso: string): string => momentText(iso, timeZone);
  const { who, verb, object, asked, shown, place, role } = accessFacts(access, { cut, moment });
  const aside = [place, role, ...[access.by.host, access.address].map((text) => text && cut(harmless(text)))];
  const known = aside.filter((text) => text !== undefined);
  const sentence =
    [colors.bold(who), verb, object].filter((text) => text !== '').join(' ') +
    asked +
    (shown === undefined ? '' : `: ${shown}`);
  return [
    ...[when, sentence, colors.dim(known.length === 0 ? '' : `[${known.join(' · ')}]`)],
    access.entry === undefined ? colors.yellow('not recorded yet') : '',
  ]
    .filter((text) => text !== '')
    .join('  ');
}

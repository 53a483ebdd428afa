import {
  byOid,
  type Coverage,
  type CoverageSource,
  type CoverageTable,
  missingFrom,
} from '@bemi-db/trail/coverage/coverage-document';
import type { RecordedCoverage } from '@bemi-db/trail/coverage/read-coverage';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { labelledLines } from '../output/labelled-lines.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countedText, countText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';

export function missingOf(table: CoverageTable, { source }: Coverage): readonly string[] {
  return missingFrom(table, source);
}

/** Whether event triggers report what DDL does; on PostgreSQL 12 and 13 they never do. */
export function isDdlRecorded({ eventTriggers: { functions, triggers, on } }: CoverageSource): boolean {
  const states = Object.entries(triggers).filter(([name]) => name !== 'bemi_ddl_a_identity');
  return (
    on && functions === 'current' && states.length >= 3 && states.every(([, state]) => state === 'always')
  );
}

/** What is recorded, then what is not, each with why. */
export function coverageText(
  name: string,
  recorded: RecordedCoverage,
  isAll: boolean,
  style: TextStyle,
): string {
  const { colors, timeZone } = style;
  const { coverage, since, sinceTime, saidAt } = recorded;
  const { source } = coverage;
  const tables = byOid(coverage.tables).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const ofRows = tables.filter(({ kind }) => kind === 'table');
  const lacking = ofRows.filter((table) => missingOf(table, coverage).length > 0);
  const whole = ofRows.length - lacking.length;
  const share =
    lacking.length === 0
      ? colors.green('all recorded whole')
      : colors.yellow(`${countText(whole)} recorded whole, ${countText(lacking.length)} not`);
  const lines = labelledLines(
    [
      ['Tables', ofRows.length === 0 ? 'none' : `${countText(ofRows.length)}: ${share}`],
      ['Publication', publicationText(source, style)],
      ['DDL', ddlText(source, style)],
      [
        'Rules',
        source.rules === null ? 'none: all that is published is recorded' : `those of entry ${source.rules}`,
      ],
      [
        'So since',
        `${momentText(sinceTime, timeZone)} (entry ${since}), last said ${momentText(saidAt, timeZone)}`,
      ],
    ],
    style,
  );
  const shown = isAll ? ofRows : lacking;
  const listed = shown.map((table): readonly [string, string] => {
    const missing = missingOf(table, coverage);
    const text =
      missing.length === 0 ? colors.green('whole') : missing.map((each) => harmless(each)).join('; ');
    return [nameOf(table), text];
  });
  const list =
    listed.length === 0
      ? ''
      : `\n${colors.bold(isAll ? 'Tables' : 'Not recorded whole')}\n${labelledLines(listed, style)}`;
  return `${colors.bold('Coverage')} of ${harmless(name)}\n${lines}${list}`;
}

function publicationText({ publication }: CoverageSource, { colors }: TextStyle): string {
  if (!publication) return colors.red('does not exist: nothing is recorded');
  const which = publication.allTables
    ? 'all tables, also those made later'
    : 'the tables that it names: others are not recorded';
  const operations =
    publication.operations.length === 4
      ? ''
      : `; ${colors.yellow(`only ${publication.operations.join(', ')}`)}`;
  return `${harmless(publication.name)}, for ${which}${operations}`;
}

function ddlText(source: CoverageSource, { colors }: TextStyle): string {
  const { functions, triggers, on } = source.eventTriggers;
  const names = Object.keys(triggers);
  if (isDdlRecorded(source)) return `recorded, by ${countedText(names.length, 'event trigger')}`;
  if (names.length === 0)
    return colors.yellow('not recorded: there are no event triggers (bemi setup makes them)');
  const off = Object.entries(triggers).flatMap(([name, state]) =>
    state === 'always' ? [] : [`${name} is ${state}`],
  );
  if (!on) off.push('event_triggers is off');
  if (functions !== 'current') off.push('their functions are not those of this version');
  if (off.length === 0) return colors.yellow(`not recorded: there is only ${names.join(', ')}`);
  return colors.yellow(`may not be recorded: ${off.join(', ')} (bemi setup repairs it)`);
}

function nameOf({ schema, name }: CoverageTable): string {
  return harmless(`${schema}.${name}`);
}

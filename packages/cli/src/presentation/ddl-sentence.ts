import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import { type DdlFacts, type DdlObject, ddlFacts } from '@bemi-db/trail/facts/ddl-facts';
import { harmless, shortened } from '@bemi-db/trail/facts/harmless-text';
import type { DdlEntry } from '@bemi-db/trail/query/ddl-entry';
import { momentText } from './moment-text.ts';
import type { TextStyle } from './text-style.ts';

const indent = '    ';
const longestPiece = 60;
const assumedColumns = 120;
/** So many objects are named. */
const namedObjects = 3;

/**
 * DDL as people say it: when, who, what became of which table, and the statement below. Whatever the message holds (anybody
 * may have sent it), it can't drive the terminal.
 *
 * @returns one or more lines, without a line break at the end.
 * @example
 * ddlSentence(ddl, textStyle(process.stdout));
 * // 2025-12-09 10:30:00  deploy dropped table visit  [psql · 10.0.0.3]
 * //     DROP TABLE visit
 */
export function ddlSentence(ddl: DdlEntry, style: TextStyle): string {
  const { colors } = style;
  const when = colors.dim(momentText(ddl.timestamp, style.timeZone));
  if (ddl.erased) return `${when}  DDL ${colors.yellow('was erased')}`;
  if (ddl.refused !== undefined) {
    const note = `a message about DDL can’t be read: ${harmless(ddl.refused)}`;
    return `${when}  somebody changed something\n${indent}${colors.yellow(note)}`;
  }
  const facts = ddlFacts(ddl.message ?? '{}');
  const color = { made: colors.green, altered: colors.yellow, gone: colors.red }[facts.tone];
  const aside = asideOf(ddl, facts, style);
  const lines = [
    `${when}  ${whoOf(ddl, facts, style)} ${color(facts.verb)} ${namesOf(facts.objects, style)}${aside === '' ? '' : `  ${colors.dim(aside)}`}`,
  ];
  for (const note of facts.notes) lines.push(`${indent}${colors.yellow(note)}`);
  if (facts.statement !== undefined)
    lines.push(`${indent}${colors.dim(statementLine(facts.statement, style))}`);
  if (facts.isStatementWithheld)
    lines.push(`${indent}${colors.dim('the statement was left out: it may hold a password')}`);
  return lines.join('\n');
}

function whoOf(ddl: DdlEntry, { user }: DdlFacts, style: TextStyle): string {
  const { colors } = style;
  if (ddl.context !== undefined) {
    const { who, role } = contextFacts(ddl.context);
    if (who !== undefined) {
      const name = colors.bold(cut(harmless(who), style));
      return role === undefined ? name : `${name} (${cut(harmless(role), style)})`;
    }
  }
  return colors.magenta(user === undefined ? 'somebody' : cut(user, style));
}

/** `[release 7 · psql · 10.0.0.3]` */
function asideOf(ddl: DdlEntry, { application, address }: DdlFacts, style: TextStyle): string {
  const { why, endpoint } = ddl.context === undefined ? {} : contextFacts(ddl.context);
  const authentic = ddl.authenticity === 'authentic' ? 'authentic' : undefined;
  const facts = [why, endpoint, application, address, authentic];
  const said = facts.flatMap((fact) => (fact === undefined ? [] : [cut(harmless(fact), style)]));
  return said.length === 0 ? '' : `[${said.join(' · ')}]`;
}

function namesOf(objects: readonly DdlObject[], style: TextStyle): string {
  const names = objects
    .slice(0, namedObjects)
    .map(({ kind, name }) => `${cut(kind, style)} ${style.colors.bold(cut(name, style))}`);
  const more = objects.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}` || 'nothing that it names';
}

function statementLine(statement: string, style: TextStyle): string {
  const line = harmless(statement.trim().replaceAll(/\s+/g, ' '));
  return style.columns === undefined
    ? line
    : shortened(line, Math.max((style.columns ?? assumedColumns) - indent.length, 20));
}

function cut(text: string, style: TextStyle): string {
  return style.columns === undefined ? text : shortened(text, longestPiece);
}

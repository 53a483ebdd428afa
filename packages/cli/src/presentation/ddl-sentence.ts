import { contextFacts } from '@bemi-db/trail/facts/context-facts';
import type { DdlEntry } from '@bemi-db/trail/query/ddl-entry';
import { harmless, shortened } from './harmless-text.ts';
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
  const message = objectOf(ddl.message === undefined ? {} : (JSON.parse(ddl.message) as unknown));
  if (ddl.refused !== undefined) {
    const note = `a message about DDL can’t be read: ${harmless(ddl.refused)}`;
    return `${when}  somebody changed something\n${indent}${colors.yellow(note)}`;
  }
  const objects = Array.isArray(message['objects']) ? message['objects'].map(objectOf) : [];
  const what = whatHappened(message, objects);
  const color = { made: colors.green, altered: colors.yellow, gone: colors.red }[what.tone];
  const aside = asideOf(ddl, message, style);
  const lines = [
    `${when}  ${whoOf(ddl, message, style)} ${color(what.verb)} ${namesOf(objects, style)}${aside === '' ? '' : `  ${colors.dim(aside)}`}`,
  ];
  for (const note of what.notes) lines.push(`${indent}${colors.yellow(note)}`);
  const statement = textOf(message, 'statement');
  if (message['via'] !== 'set_identity') {
    if (statement !== undefined) lines.push(`${indent}${colors.dim(statementLine(statement, style))}`);
    if (message['statement_withheld'] === true)
      lines.push(`${indent}${colors.dim('the statement was left out: it may hold a password')}`);
  }
  return lines.join('\n');
}

type Json = Readonly<Record<string, unknown>>;

interface Happening {
  readonly verb: string;
  readonly tone: 'made' | 'altered' | 'gone';
  readonly notes: readonly string[];
}

function whatHappened(message: Json, objects: readonly Json[]): Happening {
  const tag = harmless(shortened(textOf(message, 'tag') ?? 'DDL', longestPiece));
  const isUnlogged = objects.some((object) => object['persistence'] === 'unlogged');
  const unlogged = isUnlogged
    ? ['UNLOGGED: its changes are not in the write-ahead log, and not recorded']
    : [];
  switch (message['event']) {
    case 'drop':
      return { verb: 'dropped', tone: 'gone', notes: [] };
    case 'rewrite': {
      const reasons = objects.flatMap(({ rewrite }) => (Array.isArray(rewrite) ? rewrite.map(String) : []));
      const isData = reasons.some((reason) => reason === 'default' || reason === 'column');
      const notes = isData ? ['its rows may be other ones since: no entry says how'] : [];
      return { verb: 'rewrote', tone: 'altered', notes };
    }
    case 'call':
      return { verb: 'says how it is:', tone: 'altered', notes: unlogged };
  }
  if (message['via'] === 'set_identity') {
    const identities = [
      ...new Set(objects.map((object) => textOf(object, 'replica_identity') ?? 'another one')),
    ];
    return {
      verb: 'set the replica identity of',
      tone: 'altered',
      notes: [`by Bemi’s event trigger: ${harmless(identities.join(', '))}`],
    };
  }
  if (/^(CREATE|SELECT INTO)/.test(tag)) return { verb: 'created', tone: 'made', notes: unlogged };
  return { verb: /^ALTER/.test(tag) ? 'altered' : `did ${tag} on`, tone: 'altered', notes: unlogged };
}

function whoOf(ddl: DdlEntry, message: Json, style: TextStyle): string {
  const { colors } = style;
  if (ddl.context !== undefined) {
    const { who, role } = contextFacts(ddl.context);
    if (who !== undefined) {
      const name = colors.bold(cut(harmless(who), style));
      return role === undefined ? name : `${name} (${cut(harmless(role), style)})`;
    }
  }
  const user = textOf(message, 'session_user');
  const role = textOf(message, 'role');
  if (user === undefined) return colors.magenta('somebody');
  return colors.magenta(cut(harmless(role === undefined ? user : `${user} as ${role}`), style));
}

/** `[release 7 · psql · 10.0.0.3]` */
function asideOf(ddl: DdlEntry, message: Json, style: TextStyle): string {
  const { why, endpoint } = ddl.context === undefined ? {} : contextFacts(ddl.context);
  const authentic = ddl.authenticity === 'authentic' ? 'authentic' : undefined;
  const facts = [
    why,
    endpoint,
    textOf(message, 'application_name'),
    textOf(message, 'client_addr'),
    authentic,
  ];
  const said = facts.flatMap((fact) => (fact === undefined ? [] : [cut(harmless(fact), style)]));
  return said.length === 0 ? '' : `[${said.join(' · ')}]`;
}

function namesOf(objects: readonly Json[], style: TextStyle): string {
  const names = objects.slice(0, namedObjects).map((object) => {
    const kind = cut(harmless(textOf(object, 'kind') ?? 'something'), style);
    const [schema, name] = [textOf(object, 'schema'), textOf(object, 'name')];
    const called =
      name === undefined
        ? (textOf(object, 'identity') ?? '?')
        : schema === 'public'
          ? name
          : `${schema ?? '?'}.${name}`;
    return `${kind} ${style.colors.bold(cut(harmless(called), style))}`;
  });
  const more = objects.length - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}` || 'nothing that it names';
}

function statementLine(statement: string, style: TextStyle): string {
  const line = harmless(statement.trim().replaceAll(/\s+/g, ' '));
  return style.columns === undefined
    ? line
    : shortened(line, Math.max((style.columns ?? assumedColumns) - indent.length, 20));
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function textOf(object: Json, name: string): string | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function cut(text: string, style: TextStyle): string {
  return style.columns === undefined ? text : shortened(text, longestPiece);
}

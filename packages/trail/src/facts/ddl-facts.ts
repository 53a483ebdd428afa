import { harmless, shortened } from './harmless-text.ts';

/** So many characters of a command's tag, which anybody may have sent. */
const longestTag = 60;

/** What DDL did, in words. Every text is harmless. */
export interface DdlFacts {
  /** `dropped`, `altered`, `set the replica identity of` … */
  readonly verb: string;
  readonly tone: 'made' | 'altered' | 'gone';
  /** What follows for the record. */
  readonly notes: readonly string[];
  readonly objects: readonly DdlObject[];
  /** The database user, and as which role, where that is another. */
  readonly user: string | undefined;
  readonly application: string | undefined;
  readonly address: string | undefined;
  /** As the client sent it, line breaks and all; not harmless. Absent where Bemi's own trigger ran it. */
  readonly statement: string | undefined;
  readonly isStatementWithheld: boolean;
}

export interface DdlObject {
  /** `table`, `publication relation` … */
  readonly kind: string;
  /** Without the schema where that is `public`. */
  readonly name: string;
}

type Json = Readonly<Record<string, unknown>>;

/** Reads the facts out of a DDL message's JSON text (docs/spec/ddl-message.md), which may hold anything. */
export function ddlFacts(text: string): DdlFacts {
  const message = objectOf(JSON.parse(text) as unknown);
  const objects = Array.isArray(message['objects']) ? message['objects'].map(objectOf) : [];
  const isOfTrigger = message['via'] === 'set_identity';
  const user = textOf(message, 'session_user');
  const role = textOf(message, 'role');
  return {
    ...whatHappened(message, objects),
    objects: objects.map(objectFacts),
    user: user === undefined ? undefined : harmless(role === undefined ? user : `${user} as ${role}`),
    application: harmlessOf(message, 'application_name'),
    address: harmlessOf(message, 'client_addr'),
    statement: isOfTrigger ? undefined : textOf(message, 'statement'),
    isStatementWithheld: !isOfTrigger && message['statement_withheld'] === true,
  };
}

function whatHappened(message: Json, objects: readonly Json[]): Pick<DdlFacts, 'verb' | 'tone' | 'notes'> {
  const tag = harmless(shortened(textOf(message, 'tag') ?? 'DDL', longestTag));
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

function objectFacts(object: Json): DdlObject {
  const [schema, name] = [textOf(object, 'schema'), textOf(object, 'name')];
  const called =
    name === undefined
      ? (textOf(object, 'identity') ?? '?')
      : schema === 'public'
        ? name
        : `${schema ?? '?'}.${name}`;
  return { kind: harmlessOf(object, 'kind') ?? 'something', name: harmless(called) };
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function textOf(object: Json, name: string): string | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function harmlessOf(object: Json, name: string): string | undefined {
  const text = textOf(object, name);
  return text === undefined ? undefined : harmless(text);
}

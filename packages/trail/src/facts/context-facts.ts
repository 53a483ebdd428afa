import { actorMemberName, actorMembers, identifyingMembers } from '../query/actor-members.ts';
import { jsonMembers, plainText } from './json-members.ts';

/** What a context says of a change, as far as its members have names that are commonly used. */
export interface ContextFacts {
  readonly who: string | undefined;
  readonly role: string | undefined;
  readonly why: string | undefined;
  readonly endpoint: string | undefined;
  readonly address: string | undefined;
  /** What all changes of one request have in common. */
  readonly request: string | undefined;
}

const names = {
  who: actorMembers,
  role: ['role', 'userrole'],
  why: ['accessreason', 'reason', 'purpose'],
  endpoint: ['endpoint', 'path', 'route', 'url', 'requestpath', 'operationname'],
  address: ['ipaddress', 'ip', 'clientip', 'remoteaddress'],
  request: ['requestid', 'xrequestid', 'traceid', 'correlationid'],
} as const;

/** Reads the facts out of a context's JSON text. */
export function contextFacts(context: string): ContextFacts {
  const members = new Map<string, string>();
  for (const { name, value } of jsonMembers(context)) {
    const text = factText(value);
    if (text !== undefined) members.set(actorMemberName(name), text);
  }
  const first = (candidates: readonly string[]): string | undefined => {
    const found = candidates.find((name) => members.has(name));
    return found === undefined ? undefined : members.get(found);
  };
  return {
    who: first(names.who),
    role: first(names.role),
    why: first(names.why),
    endpoint: first(names.endpoint),
    address: first(names.address),
    request: first(names.request),
  };
}

function factText(value: string): string | undefined {
  if (value.startsWith('{')) {
    const inner = new Map(jsonMembers(value).map((member) => [member.name.toLowerCase(), member.value]));
    const found = identifyingMembers.find((name) => inner.has(name));
    return found === undefined ? undefined : factText(inner.get(found)!);
  }
  const text = plainText(value);
  return value === 'null' || text === '' ? undefined : text;
}

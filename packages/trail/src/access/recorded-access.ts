import type { Access, AccessKind, AccessPerson, AccessWay } from './access.ts';

/** An entry of the log of accesses, or a request that is not one yet. Times are ISO 8601 in UTC, sequences texts. */
export interface RecordedAccess
  extends Partial<Omit<Access, 'what' | 'via' | 'by' | 'since' | 'until' | 'began' | 'ended'>> {
  /** `undefined` while it waits for a worker. */
  readonly entry: string | undefined;
  /** When the worker recorded it. */
  readonly recordedAt: string | undefined;
  /** When the audit database was told of it, by its clock. */
  readonly at: string | undefined;
  /** What it said has expired, and was erased: that there was an access at the time is all that is known. */
  readonly isErased: boolean;
  readonly what: AccessKind | undefined;
  readonly via: AccessWay | undefined;
  readonly by: AccessPerson;
  /** By the audit database's word. */
  readonly role: string | undefined;
  /** Whence the role was connected; `undefined` through a socket of the same machine. */
  readonly connectedFrom: string | undefined;
  readonly since?: string;
  readonly until?: string;
  readonly began?: string;
  readonly ended?: string;
  /** Something was too long to be told whole. */
  readonly shortened?: boolean;
}

/**
 * What people see of an entry. Whoever may read the trail may ask for one, and says what he likes: what has not the form that
 * it should have is left out.
 *
 * @param payload - the parsed payload of an entry, or null where it was erased.
 */
export function recordedAccess(
  payload: Readonly<Record<string, unknown>> | null,
  place: Pick<RecordedAccess, 'entry' | 'recordedAt'>,
): RecordedAccess {
  const said = payload ?? {};
  const members: Record<string, unknown> = {};
  for (const name of textMembers) if (typeof said[name] === 'string') members[name] = said[name];
  for (const name of timeMembers) if (isTime(said[name])) members[name] = said[name];
  for (const name of sequenceMembers) if (isCount(said[name])) members[name] = String(said[name]);
  if (isCount(said['changes'])) members['changes'] = said['changes'];
  for (const name of ['operations', 'filters']) {
    const list = said[name];
    if (Array.isArray(list)) members[name] = list.filter((each) => typeof each === 'string');
  }
  if (Array.isArray(said['tables'])) {
    members['tables'] = said['tables'].map(textsOf).filter(({ table }) => table !== undefined);
  }
  if (said['shortened'] === true) members['shortened'] = true;
  const { role, connectedFrom, at, what, via } = said;
  return {
    ...(members as Partial<RecordedAccess>),
    ...place,
    isErased: payload === null,
    at: isTime(at) ? at : undefined,
    what: typeof what === 'string' ? (what as AccessKind) : undefined,
    via: typeof via === 'string' ? (via as AccessWay) : undefined,
    by: textsOf(said['by']),
    role: typeof role === 'string' ? role : undefined,
    connectedFrom: typeof connectedFrom === 'string' ? connectedFrom : undefined,
  };
}

const textMembers = ['command', 'part', 'id', 'log', 'key', 'address', 'userAgent', 'subject', 'action'];
const timeMembers = ['since', 'until', 'began', 'ended'] as const;
const sequenceMembers = ['sequence', 'firstSequence', 'lastSequence'] as const;

/** The members that are texts. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== 'object' || value === null) return {};
  const texts = Object.entries(value).flatMap(([name, text]) =>
    typeof text === 'string' ? [[name, text] as const] : [],
  );
  return Object.fromEntries(texts);
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

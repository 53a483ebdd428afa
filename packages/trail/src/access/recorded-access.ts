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

/** @param payload - the parsed payload of an entry, or null where it was erased. */
export function recordedAccess(
  payload: Readonly<Record<string, unknown>> | null,
  place: Pick<RecordedAccess, 'entry' | 'recordedAt'>,
): RecordedAccess {
  const { sequence, firstSequence, lastSequence, role, connectedFrom, at, what, via, by, ...rest } =
    payload ?? {};
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const number = (name: string, value: unknown) =>
    typeof value === 'number' ? { [name]: String(value) } : {};
  return {
    ...(rest as Partial<RecordedAccess>),
    ...number('sequence', sequence),
    ...number('firstSequence', firstSequence),
    ...number('lastSequence', lastSequence),
    ...place,
    at: text(at),
    isErased: payload === null,
    what: text(what) as AccessKind | undefined,
    via: text(via) as AccessWay | undefined,
    by: typeof by === 'object' && by !== null ? (by as AccessPerson) : {},
    role: text(role),
    connectedFrom: text(connectedFrom),
  };
}

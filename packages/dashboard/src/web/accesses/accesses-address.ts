import { oneOf } from '../app/address.ts';

/** Which accesses. */
export interface AccessesAddress {
  /** A person's e-mail address or id, or a role of the audit database. */
  readonly who?: string;
  readonly what?: string;
  /** `schema.table`. */
  readonly table?: string;
  readonly primaryKey?: string;
}

const names = ['who', 'what', 'table', 'primaryKey'] as const;

/** Takes of an address what makes sense; the rest is as if it was not there. */
export function accessesAddress(members: Record<string, unknown>): AccessesAddress {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = oneOf(members, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

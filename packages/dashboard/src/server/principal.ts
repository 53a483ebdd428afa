import { isPermitted, type Permission, type Role } from '../api/permission.ts';

/** Whoever asks. */
export interface Principal {
  readonly kind: 'person' | 'api-key';
  /** Unique and stable. */
  readonly id: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly role: Role;
  /** Patterns of the tables they may read, such as `public.*`; `undefined` for all. */
  readonly tables: readonly string[] | undefined;
}

/** Where a request comes from. */
export interface Asker {
  readonly address: string | undefined;
  readonly userAgent: string | undefined;
}

/**
 * Says who asks, by the request's cookie or key. `undefined` for nobody: a missing, a forged, an expired and a revoked
 * one are all the same to whoever asks.
 */
export type Authenticate = (request: Request) => Promise<Principal | undefined>;

export function mayDo(principal: Principal, permission: Permission): boolean {
  return isPermitted(principal.role, permission);
}

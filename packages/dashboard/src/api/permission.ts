/** What somebody may do. Each route of the API asks for one of these. */
export const permissions = [
  /** Who am I, sign out, my own second factor and password. */
  'self',
  /** Read changes, DDL and records, within the tables of one's scope. */
  'changes:read',
  /** Take them away as a file. */
  'changes:export',
  /** Checkpoints, proofs, results of verifications. */
  'integrity:read',
  /** Start a verification. */
  'integrity:verify',
  /** Who looked at what. */
  'accesses:read',
  /** Lag, throughput, alerts. */
  'health:read',
  /** Data sources without their secrets. */
  'sources:read',
  'sources:write',
  /** People, their roles and scopes, API keys. */
  'accounts:write',
] as const;

export type Permission = (typeof permissions)[number];

/** From the least to the most. An operator keeps Bemi running and sees nobody's data. */
export const roles = ['viewer', 'auditor', 'operator', 'admin'] as const;

export type Role = (typeof roles)[number];

export const rolePermissions: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['self', 'changes:read'],
  auditor: [
    'self',
    'changes:read',
    'changes:export',
    'integrity:read',
    'integrity:verify',
    'accesses:read',
    'health:read',
    'sources:read',
  ],
  operator: ['self', 'integrity:read', 'integrity:verify', 'health:read', 'sources:read', 'sources:write'],
  admin: permissions,
};

export function isPermitted(role: Role, permission: Permission): boolean {
  return rolePermissions[role].includes(permission);
}

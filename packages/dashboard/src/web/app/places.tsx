import {
  IconApi,
  IconChartBar,
  IconDatabase,
  IconEye,
  IconHeartbeat,
  IconHistory,
  IconKey,
  IconListDetails,
  IconShieldCheck,
  IconUsers,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Permission } from '../../api/permission.ts';

/** A page that the navigation leads to. */
export interface Place {
  readonly to: string;
  readonly label: string;
  readonly icon: ReactNode;
  /** Shown to whoever has it; to everybody where there is none. */
  readonly permission?: Permission;
  /** Only where the server keeps accounts. */
  readonly isOfAccounts?: boolean;
  /** After `g`, the letter that goes there. */
  readonly letter: string;
}

const ofAccounts = { permission: 'accounts:write', isOfAccounts: true } as const;

export const places: readonly Place[] = [
  { to: '/overview', label: 'Overview', icon: <IconChartBar />, permission: 'changes:read', letter: 'o' },
  { to: '/logs', label: 'Logs', icon: <IconListDetails />, permission: 'changes:read', letter: 'l' },
  { to: '/record', label: 'Record', icon: <IconHistory />, permission: 'changes:read', letter: 'r' },
  {
    to: '/integrity',
    label: 'Integrity',
    icon: <IconShieldCheck />,
    permission: 'integrity:read',
    letter: 'i',
  },
  { to: '/health', label: 'Health', icon: <IconHeartbeat />, permission: 'health:read', letter: 'h' },
  { to: '/accesses', label: 'Accesses', icon: <IconEye />, permission: 'accesses:read', letter: 'v' },
  { to: '/sources', label: 'Data sources', icon: <IconDatabase />, permission: 'sources:read', letter: 's' },
  { to: '/people', label: 'People', icon: <IconUsers />, ...ofAccounts, letter: 'p' },
  { to: '/keys', label: 'API keys', icon: <IconKey />, ...ofAccounts, letter: 'k' },
  { to: '/docs', label: 'API', icon: <IconApi />, letter: 'a' },
];

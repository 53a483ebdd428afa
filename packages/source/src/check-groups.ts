import type { Finding } from './finding.ts';
import { productionChecklist } from './production-checklist.ts';

/** Every check that is not on the checklist, by what it is about, in the order in which they are shown. */
export const checkGroups: readonly { readonly title: string; readonly checks: readonly string[] }[] = [
  { title: 'server', checks: ['source-connection', 'version', 'primary', 'encoding'] },
  { title: 'role and link', checks: ['least-privilege', 'source-link', 'network-isolation'] },
  {
    title: 'publication and tables',
    checks: [
      'publication-operations',
      'publication-partition-root',
      'publication-filters',
      'publication-tables',
      'ddl-triggers',
      'guide-trigger',
    ],
  },
  {
    title: 'slot',
    checks: ['slot-health', 'slot-limit', 'slot-idle-timeout', 'retained-wal'],
  },
  {
    title: 'context',
    checks: ['emit-message', 'context-triggers', 'actor-triggers', 'row-triggers', 'context-keys'],
  },
  {
    title: 'audit database',
    checks: [
      'audit-connection',
      'audit-schema',
      'audit-role',
      'audit-link',
      'encryption-at-rest',
      'log',
      'partitions',
      'accounts',
    ],
  },
  { title: 'recording', checks: ['probe', 'quarantine', 'accesses', 'clocks'] },
  { title: 'proof', checks: ['checkpoint-age', 'checkpoints-off-host'] },
];

/** Ids of all checks. */
export const checkIds: readonly string[] = [
  ...productionChecklist.flatMap(({ checks }) => checks),
  ...checkGroups.flatMap(({ checks }) => checks),
];

/** The findings that no line of the checklist shows, by what they are about. */
export function groupedFindings(
  findings: readonly Finding[],
): readonly { readonly title: string; readonly findings: readonly Finding[] }[] {
  const onChecklist = new Set(productionChecklist.flatMap(({ checks }) => checks));
  const grouped = checkGroups.map(({ title, checks }) => ({
    title,
    findings: checks.flatMap((id) => findings.filter((finding) => finding.id === id)),
  }));
  const known = new Set(checkIds);
  const rest = findings.filter(({ id }) => !known.has(id) && !onChecklist.has(id));
  return [...grouped, { title: 'others', findings: rest }].filter((group) => group.findings.length > 0);
}

import type { Finding } from './finding.ts';

/** A line of the guide's production checklist, and the checks that answer it. */
interface ChecklistEntry {
  /** The guide's words. */
  readonly line: string;
  /** Ids of findings. */
  readonly checks: readonly string[];
}

/** Guide 004's production checklist, in its order. A test compares the words with the guide's. */
export const productionChecklist: readonly ChecklistEntry[] = [
  { line: 'PostgreSQL wal_level=logical enabled', checks: ['wal-level'] },
  { line: 'max_replication_slots ≥ 4', checks: ['max-replication-slots', 'free-slots'] },
  { line: 'max_wal_senders ≥ 4', checks: ['max-wal-senders', 'free-wal-senders'] },
  { line: 'Replication user created with REPLICATION privilege', checks: ['role'] },
  { line: 'Replication slot created (bemi_slot)', checks: ['slot'] },
  { line: 'Publication created (bemi_publication)', checks: ['publication'] },
  { line: 'REPLICA IDENTITY FULL on all tables', checks: ['identity-missing', 'identity-full'] },
  { line: 'Bemi worker deployed and running', checks: ['worker'] },
  { line: 'Replication lag < 100KB', checks: ['lag'] },
  { line: 'Test INSERT/UPDATE/DELETE captured', checks: ['captured'] },
  { line: 'Context enrichment working (userId, accessReason)', checks: ['context-share', 'context-members'] },
  { line: '6-year retention configured', checks: ['retention-period'] },
  { line: 'Monitoring alerts set up (replication lag, worker health)', checks: ['alerts'] },
  { line: 'Disaster recovery plan documented', checks: ['disaster-recovery-plan'] },
  { line: 'Audit log backup strategy in place', checks: ['backup'] },
];

/** What the checks say of a line. */
export interface ChecklistLine {
  /** From 1. */
  readonly number: number;
  readonly line: string;
  readonly verdict: Finding['verdict'];
  /** Those that the verdict is due to; all of them where it is well. */
  readonly findings: readonly Finding[];
}

/** Each line is as good as the worst of its checks; what was not looked at can't be told. */
export function checklist(findings: readonly Finding[]): readonly ChecklistLine[] {
  return productionChecklist.map(({ line, checks }, index) => {
    const own = findings.filter(({ id }) => checks.includes(id));
    const verdict = (['failure', 'warning', 'unknown'] as const).find((each) =>
      own.some((finding) => finding.verdict === each),
    );
    return {
      number: index + 1,
      line,
      verdict: verdict ?? (own.length === 0 ? 'unknown' : 'ok'),
      findings: own.filter((finding) => finding.verdict === (verdict ?? 'ok')),
    };
  });
}

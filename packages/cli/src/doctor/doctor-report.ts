import { checkGroups } from '@bemi-db/source/check-groups';
import type { Finding } from '@bemi-db/source/finding';
import { checklist, productionChecklist } from '@bemi-db/source/production-checklist';
import type { ContextShare } from '@bemi-db/trail/query/context-share';
import type { DoctorSection } from './doctor-section.ts';

/** What programs read: docs/doctor.md says what is in it. */
export function doctorJson(
  sections: readonly DoctorSection[],
  contextShare: ContextShare | undefined,
): object {
  const findings = sections.flatMap((section) => section.findings);
  return {
    checklist: checklist(findings).map(({ number, line, verdict, findings: own }) => ({
      number,
      line,
      verdict,
      checks: productionChecklist[number - 1]!.checks,
      evidence: own.map(({ evidence }) => evidence).join('; '),
      fix: own
        .map(({ fix }) => fix)
        .filter((fix) => fix !== '')
        .join('\n'),
      sql: own.flatMap(({ sql }) => sql),
    })),
    sections: sections.map(({ id, connection, findings: own }) => ({
      id,
      connection: connection ?? null,
      findings: own.map((finding) => ({ ...finding, group: groupOf(finding) })),
    })),
    contextShare: contextShare ?? null,
  };
}

function groupOf({ id }: Finding): string {
  if (productionChecklist.some(({ checks }) => checks.includes(id))) return 'production checklist';
  return checkGroups.find(({ checks }) => checks.includes(id))?.title ?? 'others';
}

import { groupedFindings } from '@bemi-db/source/check-groups';
import type { Finding } from '@bemi-db/source/finding';
import { type ChecklistLine, checklist } from '@bemi-db/source/production-checklist';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { invocation } from '../output/invocation.ts';
import { countedText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';
import type { DoctorSection } from './doctor-section.ts';

/**
 * The guide's checklist, then everything else that was looked at; what is wrong with it and how to cure it; and a last line that
 * says how it stands.
 */
export function doctorText(sections: readonly DoctorSection[], style: TextStyle): string {
  const { colors } = style;
  const findings = sections.flatMap((section) => section.findings);
  const connections = sections.flatMap(({ title, connection }) =>
    connection === undefined ? [] : [`${title.padEnd(14)}  ${harmless(connection)}\n`],
  );
  const parts = [
    ...(connections.length > 0 ? [connections.join('')] : []),
    `${colors.bold('Production checklist')}\n${checklist(findings)
      .map((line) => lineText(line, style))
      .join('')}`,
    ...groupedFindings(findings).map(
      (group) =>
        `${colors.bold(group.title.charAt(0).toUpperCase() + group.title.slice(1))}\n` +
        group.findings.map((finding) => findingText(finding, style)).join(''),
    ),
  ];
  return `${parts.join('\n')}\n${summary(findings, style)}\n`;
}

function marks({ colors }: TextStyle): Readonly<Record<Finding['verdict'], string>> {
  return {
    ok: colors.green('✓'),
    failure: colors.red('✗'),
    warning: colors.yellow('!'),
    unknown: colors.dim('?'),
  };
}

/** A line in the guide's words, and below it what was found where it is not as it should be. */
function lineText({ line, verdict, findings }: ChecklistLine, style: TextStyle): string {
  const { colors } = style;
  const mark = marks(style)[verdict];
  if (findings.length === 0) return `  ${mark} ${line}  ${colors.dim('it could not be looked at')}\n`;
  if (verdict === 'ok') {
    const evidence = findings.map((finding) => harmless(finding.evidence.split('\n')[0]!)).join('; ');
    return `  ${mark} ${line}  ${colors.dim(evidence)}\n`;
  }
  const below = findings.map(({ title, ...finding }) => {
    const [seen = '', ...more] = finding.evidence.split('\n').map(harmless);
    return [`    ${harmless(title)}  ${colors.dim(seen)}`, ...details(more, finding.fix, style)];
  });
  return `${[`  ${mark} ${colors.bold(line)}`, ...below.flat()].join('\n')}\n`;
}

function findingText({ verdict, title, evidence, fix }: Finding, style: TextStyle): string {
  const { colors } = style;
  const [seen = '', ...more] = evidence.split('\n').map(harmless);
  const mark = marks(style)[verdict];
  if (verdict === 'ok') return `  ${mark} ${harmless(title)}  ${colors.dim(seen)}\n`;
  const lines = [
    `  ${mark} ${colors.bold(harmless(title))}  ${colors.dim(seen)}`,
    ...details(more, fix, style),
  ];
  return `${lines.join('\n')}\n`;
}

/** Longer SQL is not for reading. */
const mostLines = 24;

function details(evidence: readonly string[], fix: string, { colors }: TextStyle): string[] {
  const lines = fix === '' ? [] : fix.split('\n');
  const shown = lines.length <= mostLines ? lines : [lines[0]!, `${invocation()} doctor --sql prints it`];
  return [
    ...evidence.map((line) => `      ${line}`),
    // Below each other without a mark, so that SQL can be copied.
    ...shown.map((line, i) => `    ${i === 0 ? colors.cyan('→') : ' '} ${harmless(line)}`),
  ];
}

function summary(findings: readonly Finding[], { colors }: TextStyle): string {
  const count = (verdict: Finding['verdict']) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const [failures, warnings, unknowns, good] = [
    count('failure'),
    count('warning'),
    count('unknown'),
    count('ok'),
  ];
  const bad = [
    ...(failures > 0 ? [countedText(failures, 'problem')] : []),
    ...(warnings > 0 ? [countedText(warnings, 'warning')] : []),
    ...(unknowns > 0 ? [`${unknowns} not known`] : []),
  ];
  const rest = `${countedText(good, 'check')} passed`;
  if (failures > 0) return colors.red(`✗ ${bad.join(', ')}; ${rest}.`);
  if (bad.length > 0) return colors.yellow(`! ${bad.join(', ')}; ${rest}.`);
  return colors.green(`✓ All ${rest}.`);
}

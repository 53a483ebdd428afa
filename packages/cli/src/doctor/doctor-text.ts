import type { Finding } from '@bemi-db/source/finding';
import { harmless } from '../presentation/harmless-text.ts';
import { countedText } from '../presentation/quantity-text.ts';
import type { TextStyle } from '../presentation/text-style.ts';
import type { DoctorSection } from './doctor-section.ts';

/** Everything that was looked at, what is wrong with it and how to cure it, and a last line that says how it stands. */
export function doctorText(sections: readonly DoctorSection[], style: TextStyle): string {
  const { colors } = style;
  const parts = sections.map(({ title, connection, findings }) => {
    const heading = `${colors.bold(title)}${connection === undefined ? '' : `  ${harmless(connection)}`}\n`;
    return heading + findings.map((finding) => findingText(finding, style)).join('');
  });
  return `${parts.join('\n')}\n${summary(
    sections.flatMap(({ findings }) => findings),
    style,
  )}\n`;
}

function findingText({ verdict, title, evidence, fix }: Finding, { colors }: TextStyle): string {
  const [seen = '', ...more] = evidence.split('\n').map(harmless);
  if (verdict === 'ok') return `  ${colors.green('✓')} ${harmless(title)}  ${colors.dim(seen)}\n`;
  const mark = { failure: colors.red('✗'), warning: colors.yellow('!'), unknown: colors.dim('?') }[verdict];
  const lines = [`  ${mark} ${colors.bold(harmless(title))}  ${colors.dim(seen)}`];
  lines.push(...more.map((line) => `      ${line}`));
  // Below each other without a mark, so that SQL can be copied.
  if (fix !== '')
    lines.push(
      ...fix.split('\n').map((line, i) => `    ${i === 0 ? colors.cyan('→') : ' '} ${harmless(line)}`),
    );
  return `${lines.join('\n')}\n`;
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

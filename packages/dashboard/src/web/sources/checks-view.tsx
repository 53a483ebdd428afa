import { Group, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconAlertTriangle, IconCheck, IconQuestionMark, IconX } from '@tabler/icons-react';
import type { SourceChecks, SourceFinding } from '../../api/source.ts';
import { SqlBlock } from './sql-block.tsx';

const marks = {
  ok: { icon: IconCheck, color: 'green.8', word: 'Fine' },
  warning: { icon: IconAlertTriangle, color: 'yellow.9', word: 'Warning' },
  failure: { icon: IconX, color: 'red.8', word: 'Failure' },
  unknown: { icon: IconQuestionMark, color: 'gray.7', word: 'Not known' },
} as const;

const worstFirst: readonly SourceFinding['verdict'][] = ['failure', 'warning', 'unknown', 'ok'];

/** What was found: what has to be cured with its fix, worst first, and then what is fine, by what it is about. */
export function ChecksView({ checks }: { readonly checks: SourceChecks }) {
  const findings = checks.groups.flatMap((group) => group.findings);
  const problems = findings
    .filter(({ verdict }) => verdict !== 'ok')
    .toSorted((a, b) => worstFirst.indexOf(a.verdict) - worstFirst.indexOf(b.verdict));
  const fine = checks.groups
    .map(({ title, findings: own }) => ({ title, findings: own.filter(({ verdict }) => verdict === 'ok') }))
    .filter(({ findings: own }) => own.length > 0);
  return (
    <Stack gap="md">
      <div role="status">
        <Title order={2} size="h4">
          {summaryOf(findings)}
        </Title>
        {checks.connection !== null && (
          <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {checks.connection}
          </Text>
        )}
      </div>
      {problems.map((finding) => (
        <Finding key={`${finding.id} ${finding.title}`} finding={finding} />
      ))}
      {fine.map(({ title, findings: own }) => (
        <Stack key={title} gap={6} component="section" aria-label={titleOf(title)}>
          <Title order={3} size="h5">
            {titleOf(title)}
          </Title>
          {own.map((finding) => (
            <Finding key={`${finding.id} ${finding.title}`} finding={finding} />
          ))}
        </Stack>
      ))}
      {checks.steps.length > 0 && (
        <Stack gap="xs" component="section" aria-label="What setup would do">
          <Title order={3} size="h5">
            What setup would do
          </Title>
          <Text size="sm" c="dimmed">
            To be run as an administrator of the source, in this order; <code>bemi setup</code> does the same,
            and keeps the application from waiting for it.
          </Text>
          <SqlBlock
            sql={checks.steps.map(({ title, sql }) => `-- ${title}\n${sql}`)}
            label="Copy what setup would do"
          />
        </Stack>
      )}
    </Stack>
  );
}

function Finding({ finding }: { readonly finding: SourceFinding }) {
  const { verdict, title, evidence, sql } = finding;
  const { icon: Icon, color, word } = marks[verdict];
  const { advice, command } = adviceOf(finding);
  return (
    <Group gap="sm" wrap="nowrap" align="flex-start">
      <ThemeIcon size={20} radius="xl" color={color} mt={2} aria-label={word} role="img">
        <Icon size={13} aria-hidden />
      </ThemeIcon>
      <Stack gap={4} flex={1} miw={0}>
        <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
          {title}{' '}
          {evidence !== '' && (
            <Text span size="xs" c="dimmed">
              {evidence}
            </Text>
          )}
        </Text>
        {verdict !== 'ok' && advice !== '' && (
          <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {advice}
          </Text>
        )}
        {verdict !== 'ok' && command !== undefined && (
          <SqlBlock sql={[command]} label={`Copy the command: ${title}`} />
        )}
        {verdict !== 'ok' && sql.length > 0 && <SqlBlock sql={sql} label={`Copy the SQL: ${title}`} />}
      </Stack>
    </Group>
  );
}

/** The fix in words; its SQL, and a command on a line of its own, are shown as such. */
function adviceOf({ fix, sql }: SourceFinding): {
  readonly advice: string;
  readonly command: string | undefined;
} {
  const at = sql.length === 0 ? -1 : fix.indexOf(sql[0]!);
  const text = (at < 0 ? fix : fix.slice(0, at)).trim();
  const command = /\n(bemi .+)$/.exec(text);
  return command
    ? { advice: text.slice(0, command.index), command: command[1] }
    : { advice: text, command: undefined };
}

function titleOf(group: string): string {
  if (group === 'checklist') return 'What recording needs';
  return group.charAt(0).toUpperCase() + group.slice(1);
}

function summaryOf(findings: readonly SourceFinding[]): string {
  const count = (verdict: SourceFinding['verdict']) =>
    findings.filter((finding) => finding.verdict === verdict).length;
  const [failures, warnings, unknown] = [count('failure'), count('warning'), count('unknown')];
  if (failures > 0)
    return `${failures === 1 ? 'One thing keeps' : `${failures} things keep`} it from being recorded.`;
  if (warnings > 0)
    return `It can be recorded. ${warnings === 1 ? 'One thing is' : `${warnings} things are`} worth a look.`;
  if (unknown > 0)
    return `It can be recorded. ${unknown === 1 ? 'One thing' : `${unknown} things`} could not be looked at.`;
  return 'Everything is as it should be.';
}

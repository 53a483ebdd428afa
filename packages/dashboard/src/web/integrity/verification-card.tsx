import { Alert, Card, Code, Group, List, Progress, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconInfoCircle } from '@tabler/icons-react';
import type { Verification, VerificationAnswer, VerificationReport } from '../../api/integrity.ts';
import { Moment } from '../elements/moment.tsx';

/** The verification that runs, as it moves; else what the last one found. */
export function VerificationCard({ answer }: { readonly answer: VerificationAnswer }) {
  const { verification, canStart } = answer;
  return (
    <Card withBorder component="section" aria-labelledby="verification">
      <Stack gap="sm">
        <Title order={2} size="h4" id="verification">
          Verification
        </Title>
        {!verification && (
          <Text size="sm" c="dimmed">
            {canStart ? (
              'Reads every entry again, and holds it against what was signed. None has been started since this server runs.'
            ) : (
              <>
                This server has no verifier. On the worker’s machine: <Code>bemi verify</Code>
              </>
            )}
          </Text>
        )}
        {verification && (
          <Text size="sm" c="dimmed">
            Started by {verification.startedBy}, <Moment at={verification.startedAt} />
          </Text>
        )}
        {verification?.state === 'running' && <Running verification={verification} />}
        {verification?.state === 'failed' && (
          <Alert
            color="red"
            icon={<IconAlertTriangle aria-hidden />}
            title="It could not be finished"
            role="alert"
          >
            {verification.problem}
          </Alert>
        )}
        {verification?.state === 'done' && verification.report && <Report report={verification.report} />}
      </Stack>
    </Card>
  );
}

function Running({ verification }: { readonly verification: Verification }) {
  const { part, done, total } = verification;
  const percent = total === 0 ? 0 : (100 * done) / total;
  return (
    <Group gap="sm" wrap="nowrap">
      <Progress value={percent} flex={1} size="lg" aria-label="Verified" />
      <Text size="sm" className="tabular" aria-live="polite">
        {part === 'index' ? 'The index of searches: ' : ''}
        {total === 0 ? 'Begins …' : `${done.toLocaleString()} of ${total.toLocaleString()}`}
      </Text>
    </Group>
  );
}

function Report({ report }: { readonly report: VerificationReport }) {
  const { valid, size, proven, findings, caveats, elapsedMs } = report;
  return (
    <Stack gap="sm" aria-live="polite">
      {valid ? (
        <Alert color="green" icon={<IconCircleCheck aria-hidden />} title="The log is what was recorded">
          {size.toLocaleString()} entries, {(elapsedMs / 1_000).toFixed(1)} s. {provenText(size, proven)}
        </Alert>
      ) : (
        findings.map(({ title, meaning, advice }) => (
          <Alert key={title} color="red" icon={<IconAlertTriangle aria-hidden />} title={title} role="alert">
            <Text size="sm">{meaning}</Text>
            <Text size="sm" mt="xs">
              {advice}
            </Text>
          </Alert>
        ))
      )}
      {caveats.length > 0 && (
        <Group gap="xs" align="flex-start" wrap="nowrap">
          <IconInfoCircle size={18} aria-hidden style={{ flexShrink: 0 }} />
          <List size="sm" c="dimmed" listStyleType="none">
            {caveats.map((caveat) => (
              <List.Item key={caveat}>{caveat}</List.Item>
            ))}
          </List>
        </Group>
      )}
    </Stack>
  );
}

function provenText(size: number, { size: provenSize, by }: VerificationReport['proven']): string {
  if (by === null) return 'No checkpoint from outside was compared: the tail is not proven.';
  if (provenSize === size) return `All of it is proven by a checkpoint kept elsewhere: ${by.where}.`;
  return `The first ${provenSize.toLocaleString()} are proven by a checkpoint kept elsewhere: ${by.where}.`;
}

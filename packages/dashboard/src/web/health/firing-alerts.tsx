import { Alert, Stack, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { LogHealth } from '../../api/health.ts';
import { Moment } from '../elements/moment.tsx';
import { alertTitle, evidenceText } from './health-words.ts';
import { Fix } from './sentence-line.tsx';

/** What somebody has to look at now, of all sources. */
export function FiringAlerts({ logs }: { readonly logs: readonly LogHealth[] }) {
  const firing = logs
    .flatMap(({ alerts }) => alerts)
    .toSorted((one, other) => one.severity.localeCompare(other.severity)); // critical before warning
  if (firing.length === 0) return null;
  return (
    <Stack gap="sm" component="section" aria-label="Alerts that fire">
      {firing.map(({ id, log, alert, severity, evidence, fix, since }) => (
        <Alert
          key={id}
          color={severity === 'critical' ? 'red' : 'yellow'}
          icon={<IconAlertTriangle aria-hidden />}
          title={logs.length > 1 ? `${log}: ${alertTitle(alert)}` : alertTitle(alert)}
          styles={{ title: { color: 'var(--mantine-color-text)' } }}
        >
          <Stack gap={6}>
            <Text
              size="sm"
              style={{ overflowWrap: 'anywhere' }}
              {...(evidence === null ? {} : { title: evidence })}
            >
              {(evidence !== null && evidenceText(evidence)) ||
                'What was seen may name tables that you may not read: ask an admin.'}
            </Text>
            <Fix fix={fix} />
            <Text size="xs">
              {severity}, since <Moment at={since} isShort />
            </Text>
          </Stack>
        </Alert>
      ))}
    </Stack>
  );
}

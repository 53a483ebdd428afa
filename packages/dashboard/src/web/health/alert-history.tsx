import { Badge, Button, Card, Group, Stack, Text, Title } from '@mantine/core';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import type { Alert, AlertPage } from '../../api/health.ts';
import { Moment } from '../elements/moment.tsx';
import { ErrorState } from '../elements/states.tsx';
import { alertTitle, durationText, evidenceText } from './health-words.ts';

interface AlertHistoryProps {
  readonly history: UseInfiniteQueryResult<InfiniteData<AlertPage>>;
  /** The log need not be said. */
  readonly isOneLog: boolean;
}

/** Alerts that fired, the newest first. */
export function AlertHistory({ history, isOneLog }: AlertHistoryProps) {
  const alerts = history.data?.pages.flatMap((page) => page.alerts) ?? [];
  return (
    <Card withBorder component="section" aria-labelledby="history">
      <Title order={2} size="h4" id="history" mb="xs">
        Alerts
      </Title>
      {history.error && <ErrorState error={history.error} onRetry={() => void history.refetch()} />}
      {history.data && alerts.length === 0 && (
        <Text size="sm" c="dimmed">
          None has fired. <code>bemi alerts list</code> says what there are alerts for, and where they are
          sent to.
        </Text>
      )}
      <Stack component="ol" gap={0} p={0} m={0} className="health-list">
        {alerts.map((alert) => (
          <AlertRow key={alert.id} alert={alert} isOneLog={isOneLog} />
        ))}
      </Stack>
      {history.hasNextPage && (
        <Group justify="center" mt="sm">
          <Button
            variant="default"
            size="xs"
            loading={history.isFetchingNextPage}
            onClick={() => void history.fetchNextPage()}
          >
            Earlier ones
          </Button>
        </Group>
      )}
    </Card>
  );
}

function AlertRow({ alert, isOneLog }: { readonly alert: Alert; readonly isOneLog: boolean }) {
  const { log, severity, evidence, since, clearedAt, seenAt, isFiring, host } = alert;
  const color = severity === 'critical' ? 'var(--bemi-deleted)' : 'var(--bemi-doubt)';
  return (
    <li>
      <Group gap="xs" align="baseline">
        <Badge variant="outline" tt="none" style={{ borderColor: 'currentColor', color }}>
          {severity}
        </Badge>
        <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
          {isOneLog ? '' : `${log}: `}
          {alertTitle(alert.alert)}
        </Text>
      </Group>
      {evidence !== null && (
        <Text size="sm" style={{ overflowWrap: 'anywhere' }} title={evidence}>
          {evidenceText(evidence)}
        </Text>
      )}
      <Text size="xs" c="dimmed">
        <Moment at={since} />{' '}
        {isFiring
          ? '· fires'
          : clearedAt === null
            ? '· nobody has said that it is over; last told '
            : `· over after ${durationText((Date.parse(clearedAt) - Date.parse(since)) / 1_000)}`}
        {!isFiring && clearedAt === null && <Moment at={seenAt} isShort />} · told by {host}
      </Text>
    </li>
  );
}

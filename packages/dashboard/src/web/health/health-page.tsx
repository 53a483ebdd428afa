import { SegmentedControl, Skeleton, Stack, Text } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { AccessRecordingCard } from './access-recording-card.tsx';
import { AlertHistory } from './alert-history.tsx';
import { FiringAlerts } from './firing-alerts.tsx';
import { type HealthRange, healthRanges, usualRange } from './health-address.ts';
import { HealthCharts } from './health-charts.tsx';
import { LogCard } from './log-card.tsx';
import { OtherLogs } from './other-logs.tsx';
import { useAlertHistory, useHealth, useHealthSeries } from './use-health.ts';
import './health.css';

/** How the recording is doing, what is in its way, and what to do. It refreshes by itself. */
export function HealthPage() {
  const { log: asked } = useSearch({ from: '__root__' });
  const { range = usualRange } = useSearch({ from: '/shell/health' });
  const health = useHealth();
  const logs = health.data?.logs ?? [];
  const chosen = asked === undefined ? logs[0] : logs.find(({ name }) => name === asked);
  const series = useHealthSeries(chosen?.isRecorded ? chosen.name : undefined, range);
  const history = useAlertHistory();
  const failure = health.data ? null : health.error;
  // All at once: what is below a chart would move when that comes.
  const isLoading = !health.data || history.isPending || series.isLoading;
  return (
    <>
      <PageHeading title="Health">
        <RangeChoice range={range} />
      </PageHeading>
      {health.error && <ErrorState error={health.error} onRetry={() => void health.refetch()} />}
      {!failure && isLoading && <Skeleton h="80vh" maw={1100} role="status" aria-label="Loading" />}
      {health.data && !isLoading && (
        <Stack gap="md" maw={1100}>
          <FiringAlerts logs={logs} />
          {logs.length === 0 && (
            <EmptyState title="Nothing is recorded yet">
              A worker says here how it is doing: start one by <code>bemi start</code>.
            </EmptyState>
          )}
          {chosen && (
            <LogCard log={chosen}>
              {series.error && <ErrorState error={series.error} onRetry={() => void series.refetch()} />}
              {series.data && <HealthCharts series={series.data} range={range} />}
            </LogCard>
          )}
          {!chosen && logs.length > 0 && (
            <EmptyState title="There is no log of this name">Choose one of these.</EmptyState>
          )}
          <OtherLogs logs={logs.filter((log) => log !== chosen)} />
          {health.data.accesses && <AccessRecordingCard {...health.data.accesses} />}
          <AlertHistory history={history} isOneLog={logs.length < 2} />
          <Text size="xs" c="dimmed">
            Workers say this of themselves, once a minute; it is not part of the signed log. For machines,
            each worker answers <code>/healthz</code>, <code>/readyz</code> and <code>/metrics</code> on its
            own port.
          </Text>
        </Stack>
      )}
    </>
  );
}

function RangeChoice({ range }: { readonly range: HealthRange }) {
  const navigate = useNavigate();
  return (
    <SegmentedControl
      size="xs"
      aria-label="Time"
      data={Object.entries(healthRanges).map(([value, { label }]) => ({ value, label }))}
      value={range}
      onChange={(chosen) =>
        void navigate({
          to: '/health',
          search: (known: object) => ({ ...known, range: chosen === usualRange ? '' : chosen }) as never,
          replace: true,
        })
      }
    />
  );
}

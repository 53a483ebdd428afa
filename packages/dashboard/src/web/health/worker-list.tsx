import { Badge, Group, Stack, Text, Title } from '@mantine/core';
import type { HealthWorker } from '../../api/health.ts';
import { Moment } from '../elements/moment.tsx';

const colors: Readonly<Record<HealthWorker['state'], string>> = {
  recording: 'var(--bemi-created)',
  standby: 'var(--bemi-updated)',
  starting: 'var(--bemi-doubt)',
  waiting: 'var(--bemi-doubt)',
  stopping: 'var(--mantine-color-dimmed)',
  stopped: 'var(--mantine-color-dimmed)',
  refused: 'var(--bemi-deleted)',
};

/** Who records a source, who waits to take over, and who did until lately. */
export function WorkerList({ workers }: { readonly workers: readonly HealthWorker[] }) {
  return (
    <section aria-labelledby="workers">
      <Title order={3} size="h5" id="workers" mb={4}>
        Workers
      </Title>
      {workers.length === 0 && (
        <Text size="sm" c="dimmed">
          None has said that it is there.
        </Text>
      )}
      <Stack component="ul" gap={0} p={0} m={0} className="health-list">
        {workers.map((worker) => (
          <li key={worker.instance}>
            <Group gap="xs" align="baseline">
              <Badge
                variant="outline"
                tt="none"
                style={{ borderColor: 'currentColor', color: colorOf(worker) }}
              >
                {worker.isSilent ? `${worker.state}, as it last said` : worker.state}
              </Badge>
              <Text size="sm" fw={500} style={{ overflowWrap: 'anywhere' }}>
                {worker.host}
              </Text>
              <Text size="sm" c="dimmed">
                process {worker.pid}
                {worker.version !== null && `, version ${worker.version}`}
              </Text>
            </Group>
            <Text size="xs" c="dimmed">
              {worker.state} since <Moment at={worker.stateSince} isShort /> · started{' '}
              <Moment at={worker.startedAt} isShort /> · last seen <Moment at={worker.seenAt} isShort />
            </Text>
            {worker.problem && worker.state !== 'standby' && (
              <Text size="xs" style={{ overflowWrap: 'anywhere' }}>
                {worker.problem.message ?? worker.problem.code}
              </Text>
            )}
          </li>
        ))}
      </Stack>
    </section>
  );
}

function colorOf({ state, isSilent }: HealthWorker): string {
  return isSilent ? 'var(--bemi-deleted)' : colors[state];
}

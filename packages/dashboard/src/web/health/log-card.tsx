import { Card, Stack, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { LogHealth } from '../../api/health.ts';
import { HealthFigures } from './health-figures.tsx';
import { healthSentence } from './health-words.ts';
import { SentenceLine } from './sentence-line.tsx';
import { WorkerList } from './worker-list.tsx';

interface LogCardProps {
  readonly log: LogHealth;
  /** What it has been like over time. */
  readonly children: ReactNode;
}

/** A source's recording: how it is doing, in numbers, over time, and by whom. */
export function LogCard({ log, children }: LogCardProps) {
  return (
    <Card withBorder component="section" aria-labelledby="source">
      <Stack gap="md">
        <Title order={2} size="h4" id="source" style={{ overflowWrap: 'anywhere' }}>
          {log.name}
        </Title>
        <SentenceLine sentence={healthSentence(log)} />
        {log.now && <HealthFigures now={log.now} lastMinute={log.lastMinute} />}
        {children}
        <WorkerList workers={log.workers} />
      </Stack>
    </Card>
  );
}

import { Alert, Badge, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { Source } from '../../api/source.ts';

const words = {
  recording: ['Recording', 'green'],
  waiting: ['Waiting', 'yellow'],
  refused: ['Refuses', 'red'],
  unknown: ['Not recorded here', 'gray'],
} as const;

/** How its recording is going, in a word. */
export function StateBadge({ source: { state, problem } }: { readonly source: Source }) {
  const [word, color] = words[state];
  return (
    <Badge color={color} variant="outline" tt="none" style={{ color: 'var(--mantine-color-text)' }}>
      {state === 'waiting' && !problem ? 'Starting' : word}
    </Badge>
  );
}

/** What is in the way of recording it, and what to do. */
export function StateProblem({ source: { state, problem } }: { readonly source: Source }) {
  if (!problem) return null;
  return (
    <Alert
      color={state === 'refused' ? 'red' : 'yellow'}
      variant="outline"
      icon={<IconAlertTriangle aria-hidden />}
      title={problem.message}
      styles={{ title: { color: 'var(--mantine-color-text)', overflowWrap: 'anywhere' } }}
    >
      <Text size="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {problem.fix}
      </Text>
      <Text size="xs" c="dimmed" mt={4}>
        {state === 'refused'
          ? 'Tried again every minute, and when the source is changed.'
          : 'It is tried again by itself.'}
      </Text>
    </Alert>
  );
}

/** `role@host:port/database`, as far as it is known. */
export function targetText({ target: { role, host, port, database } }: Source): string {
  if (host === null) return database;
  const place = host.includes(':') ? `[${host}]` : host;
  return `${role}@${place}:${port}/${database}`;
}

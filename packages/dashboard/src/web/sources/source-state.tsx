import { Alert, Badge, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { Source } from '../../api/source.ts';
import { Moment } from '../elements/moment.tsx';

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
export function StateProblem({ source }: { readonly source: Source }) {
  const { state, problem } = source;
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
        <NextTry source={source} />
      </Text>
    </Alert>
  );
}

function NextTry({ source: { state, origin, triedAgainAt } }: { readonly source: Source }) {
  if (state === 'waiting') return 'It is tried again by itself.';
  if (triedAgainAt === null) return null;
  return (
    <>
      Tried again at <Moment at={triedAgainAt} isShort />
      {origin === 'added' && ', and at once when the source is changed'}.
    </>
  );
}

/** `role@host:port/database`, as far as it is known. */
export function targetText({ target: { role, host, port, database } }: Source): string {
  if (host === null) return database;
  const place = host.includes(':') ? `[${host}]` : host;
  return `${role}@${place}:${port}/${database}`;
}

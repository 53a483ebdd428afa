import { Button, Group, Loader, Text } from '@mantine/core';
import { Moment } from '../elements/moment.tsx';
import { ErrorState } from '../elements/states.tsx';
import type { FeedState } from './entry-feed.ts';

interface ListEndProps {
  readonly state: FeedState;
  readonly onMore: () => void;
  readonly onStop: () => void;
}

/** What comes below the last entry: more, how far a search looked, or the log's beginning. */
export function ListEnd({ state: { older, lookedBackTo, entries, error }, onMore, onStop }: ListEndProps) {
  switch (older) {
    case 'loading':
      return (
        <Group justify="center" h={56} gap="sm" role="status">
          <Loader size="sm" aria-label="Loading older entries" />
          {lookedBackTo !== null && (
            <>
              <Text size="sm">
                <LookedBack to={lookedBackTo} />
              </Text>
              <Button size="compact-sm" variant="default" onClick={onStop}>
                Stop
              </Button>
            </>
          )}
        </Group>
      );
    case 'budget':
      return (
        <Group justify="center" mih={56} gap="sm" role="status">
          <Text size="sm">
            {entries.length === 0 ? 'Nothing found yet. ' : ''}
            {lookedBackTo === null ? 'The search ran out of time.' : <LookedBack to={lookedBackTo} />}
          </Text>
          <Button size="compact-sm" variant="default" onClick={onMore}>
            Look further back
          </Button>
        </Group>
      );
    case 'failed':
      return <ErrorState error={error ?? new Error('Older entries could not be read')} onRetry={onMore} />;
    case 'more':
      return (
        <Group justify="center" h={56}>
          <Button size="compact-sm" variant="default" onClick={onMore}>
            Show older entries
          </Button>
        </Group>
      );
    case 'reached':
      return entries.length === 0 ? null : (
        <Text size="sm" c="dimmed" ta="center" py="md">
          {entries.length.toLocaleString()} {entries.length === 1 ? 'entry' : 'entries'}. There is nothing
          older.
        </Text>
      );
  }
}

function LookedBack({ to: { sequence, at } }: { readonly to: NonNullable<FeedState['lookedBackTo']> }) {
  return <>Looked back to {at === null ? `entry ${sequence}` : <Moment at={at} />}.</>;
}

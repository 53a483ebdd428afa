import { Button } from '@mantine/core';
import { IconPlayerPause, IconPlayerPlay, IconPlugConnectedX } from '@tabler/icons-react';
import type { FeedState } from './entry-feed.ts';

interface LiveStateProps {
  readonly live: FeedState['live'];
  readonly onPause: (isPaused: boolean) => void;
}

/** Whether what is recorded now comes to the page, and the switch for it. */
export function LiveState({ live, onPause }: LiveStateProps) {
  if (live === 'off') return null;
  const isPaused = live === 'paused';
  const [label, icon] = {
    paused: ['Paused', <IconPlayerPlay key="" size={14} aria-hidden />] as const,
    open: ['Live', <span key="" className="live-dot" aria-hidden />] as const,
    connecting: ['Connecting', <span key="" className="live-dot live-dot-waiting" aria-hidden />] as const,
    lost: ['Connection lost', <IconPlugConnectedX key="" size={14} aria-hidden />] as const,
  }[live];
  return (
    <Button
      size="sm"
      variant="default"
      leftSection={icon}
      rightSection={isPaused ? undefined : <IconPlayerPause size={14} aria-hidden />}
      aria-label={isPaused ? 'Paused: go on' : `${label}: pause`}
      aria-pressed={!isPaused}
      title={
        live === 'lost' ? 'What is recorded meanwhile comes when the server can be reached again' : undefined
      }
      {...(live === 'lost' ? { c: 'var(--bemi-doubt)' } : {})}
      onClick={() => onPause(!isPaused)}
    >
      {label}
    </Button>
  );
}

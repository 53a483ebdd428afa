import { Group, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck, IconCircleX } from '@tabler/icons-react';
import { CopyButton } from '../elements/copy-button.tsx';
import { Moment } from '../elements/moment.tsx';
import type { HealthSentence } from './health-words.ts';

const icons = {
  good: <IconCircleCheck size={20} aria-hidden />,
  attention: <IconAlertTriangle size={20} aria-hidden />,
  bad: <IconCircleX size={20} aria-hidden />,
};

const colors = {
  good: 'var(--bemi-created)',
  attention: 'var(--bemi-doubt)',
  bad: 'var(--bemi-deleted)',
};

/** How something is doing, and what to do next. */
export function SentenceLine({ sentence }: { readonly sentence: HealthSentence }) {
  const { tone, text, at, fix } = sentence;
  return (
    <Stack gap={6}>
      <Group gap="xs" wrap="nowrap" align="flex-start" c={colors[tone]}>
        <span style={{ flexShrink: 0, lineHeight: 0, paddingTop: 2 }}>{icons[tone]}</span>
        <Text fw={600} style={{ overflowWrap: 'anywhere' }}>
          {text}
          {at !== undefined && (
            <>
              {' '}
              <Moment at={at} isShort />
            </>
          )}
        </Text>
      </Group>
      {fix !== undefined && <Fix fix={fix} />}
    </Stack>
  );
}

/** What to do, to copy. */
export function Fix({ fix }: { readonly fix: string }) {
  return (
    <Group gap="sm" align="flex-start" justify="space-between">
      <Text size="sm" flex="1 1 240px" style={{ overflowWrap: 'anywhere' }}>
        <b>What to do:</b> {fix}
      </Text>
      <CopyButton value={fix} label="Copy what to do" />
    </Group>
  );
}

import { Alert, Button, Code, CopyButton, Group, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

interface ShownOnceProps {
  readonly title: string;
  /** What to do with it, and that it is not shown again. */
  readonly advice: string;
  readonly secret: string;
  readonly onClose: () => void;
}

/** A link or a key, which only whoever looks now ever sees. */
export function ShownOnce({ title, advice, secret, onClose }: ShownOnceProps) {
  return (
    <Alert color="cyan" variant="outline" title={title} mb="md" role="status">
      <Text size="sm" mb="xs">
        {advice}
      </Text>
      <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {secret}
      </Code>
      <Group mt="sm" gap="sm">
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button
              size="xs"
              onClick={copy}
              leftSection={copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Button size="xs" variant="default" onClick={onClose}>
          I have it
        </Button>
      </Group>
    </Alert>
  );
}

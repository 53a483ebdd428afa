import { Alert, Button, Code, Stack, Text, Title } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { RequestError } from '../api/request.ts';

/** There is nothing to show, and what to do next. */
export function EmptyState({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" px="md" ta="center">
      <Title order={2} size="h4">
        {title}
      </Title>
      <Text c="dimmed" maw={520} component="div">
        {children}
      </Text>
    </Stack>
  );
}

/** What went wrong, in the server's words, with its fix and another try. */
export function ErrorState({ error, onRetry }: { readonly error: Error; readonly onRetry?: () => void }) {
  const fix = error instanceof RequestError ? error.fix : undefined;
  return (
    <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title={error.message} role="alert" my="md">
      {fix !== undefined && <Text size="sm">{fix}</Text>}
      {error instanceof RequestError && <Code>{error.code}</Code>}
      {onRetry && (
        <div>
          <Button mt="sm" size="xs" variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </Alert>
  );
}

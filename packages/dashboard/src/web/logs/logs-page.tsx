import { Loader, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { EntryPage } from '../../api/entry.ts';
import { queryText, request } from '../api/request.ts';
import { useLogs } from '../api/use-logs.ts';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { EntrySentence } from '../entries/entry-sentence.tsx';

/** Who changed what, when, from where and why: the newest first. */
export function LogsPage() {
  const logs = useLogs();
  const log = logs.data?.[0]?.name;
  const page = useQuery({
    queryKey: ['entries', log],
    queryFn: ({ signal }) =>
      request<EntryPage>(`/logs/${encodeURIComponent(log!)}/entries${queryText({ values: 'text' })}`, signal),
    enabled: log !== undefined,
  });
  const error = logs.error ?? page.error;
  if (error) return <ErrorState error={error} onRetry={() => void (logs.error ? logs : page).refetch()} />;
  if (logs.data?.length === 0)
    return <EmptyState title="Nothing is recorded yet">Start a worker: bemi start</EmptyState>;
  return (
    <>
      <Title order={1} size="h3" mb="md">
        Logs
      </Title>
      {page.isPending ? (
        <Loader aria-label="Loading" />
      ) : (
        <Stack gap={4} component="ol" p={0} m={0}>
          {page.data?.entries.map((entry) => (
            <Text component="li" key={entry.sequence} size="sm" style={{ listStyle: 'none' }}>
              <EntrySentence entry={entry} />
            </Text>
          ))}
        </Stack>
      )}
    </>
  );
}

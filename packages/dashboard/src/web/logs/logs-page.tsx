import { Skeleton, Stack, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { EntryPage } from '../../api/entry.ts';
import { queryText, request } from '../api/request.ts';
import { useLog } from '../api/use-log.ts';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { EntrySentence } from '../entries/entry-sentence.tsx';

/** Who changed what, when, from where and why: the newest first. */
export function LogsPage() {
  const { name: log, logs, ...choice } = useLog();
  const page = useQuery({
    queryKey: ['entries', log],
    queryFn: ({ signal }) =>
      request<EntryPage>(`/logs/${encodeURIComponent(log!)}/entries${queryText({ values: 'text' })}`, signal),
    enabled: log !== undefined,
  });
  const error = choice.error ?? page.error;
  if (error)
    return <ErrorState error={error} onRetry={choice.error ? choice.retry : () => void page.refetch()} />;
  if (logs?.length === 0)
    return <EmptyState title="Nothing is recorded yet">Start a worker: bemi start</EmptyState>;
  return (
    <>
      <PageHeading title="Logs" />
      {page.isPending ? (
        <Skeleton h={400} aria-label="Loading" />
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

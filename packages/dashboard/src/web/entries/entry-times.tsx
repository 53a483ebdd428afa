import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Entry } from '../../api/entry.ts';
import type { Transaction } from '../../api/record.ts';
import { request } from '../api/request.ts';
import { Moment } from '../elements/moment.tsx';
import { Fact } from './fact.tsx';

/** When it was committed and when it was recorded, in the reader's zone and in UTC. */
export function EntryTimes({ entry, log }: { readonly entry: Entry; readonly log: string }) {
  const transaction = entry.kind === 'change' ? entry.transaction : undefined;
  const { data, isPending } = useQuery({
    queryKey: ['transaction', log, transaction],
    queryFn: ({ signal }) =>
      request<Transaction>(`/logs/${encodeURIComponent(log)}/transactions/${transaction}`, signal),
    enabled: transaction !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <>
      <Fact name="Committed">
        <Both at={entry.timestamp} />
      </Fact>
      {transaction !== undefined && (
        <Fact name="Recorded">{data ? <Both at={data.recordedAt} /> : isPending ? '…' : 'not known'}</Fact>
      )}
      {data && (
        <Fact name="Changes with it">{Number(data.changeCount).toLocaleString()} in its transaction</Fact>
      )}
    </>
  );
}

function Both({ at }: { readonly at: string }) {
  return (
    <>
      <Moment at={at} />
      <Text span size="xs" c="dimmed" display="block" className="tabular">
        {at.replace('T', ' ').replace('Z', '')} UTC
      </Text>
    </>
  );
}

import { Anchor, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Entry } from '../../api/entry.ts';
import type { Transaction } from '../../api/record.ts';
import { request } from '../api/request.ts';
import { Moment } from '../elements/moment.tsx';
import { Fact } from './fact.tsx';

/** When it was committed and recorded, in the reader's zone and in UTC, and with what. */
export function EntryTimes({ entry, log }: { readonly entry: Entry; readonly log: string }) {
  const transaction = entry.transaction ?? undefined;
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
      {transaction !== undefined && (
        <Fact name="Transaction">
          <Anchor component={Link} to="/logs" search={{ log, transaction } as never} inherit>
            {linkText(entry, data)} of transaction {entry.transactionId}
          </Anchor>
        </Fact>
      )}
    </>
  );
}

function linkText(entry: Entry, transaction: Transaction | undefined): string {
  if (entry.kind === 'ddl' || transaction === undefined) return 'All entries';
  if (transaction.changeCount === '1') return 'This change alone';
  return `All ${Number(transaction.changeCount).toLocaleString()} changes`;
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

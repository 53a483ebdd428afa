import type { RecordedAccess } from '@bemi-db/trail/access/recorded-access';
import { Badge, Button, Card, Group, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { queryText, request } from '../api/request.ts';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { AccessRow } from './access-row.tsx';
import type { AccessesAddress } from './accesses-address.ts';

interface AccessPage {
  readonly accesses: readonly RecordedAccess[];
  readonly next: string | null;
}

const kinds = [
  { value: 'search', label: 'searched' },
  { value: 'view', label: 'viewed' },
  { value: 'export', label: 'exported' },
  { value: 'live', label: 'watched' },
  { value: 'sign-in', label: 'signed in' },
  { value: 'sign-in-failed', label: 'failed to sign in' },
  { value: 'sign-out', label: 'signed out' },
  { value: 'account', label: 'changed an account' },
  { value: 'key', label: 'changed a key' },
  { value: 'source', label: 'changed a data source' },
];

/** Who looked at what: on these pages, by the API and on the command line. */
export function AccessesPage() {
  const address = useSearch({ from: '/shell/accesses' });
  const { who, what, table, primaryKey } = address;
  const pages = useInfiniteQuery({
    queryKey: ['accesses', who, what, table, primaryKey],
    queryFn: ({ signal, pageParam }) =>
      request<AccessPage>(
        `/accesses${queryText({ who, what, table, primaryKey, before: pageParam, limit: 50 })}`,
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next ?? undefined,
  });
  const accesses = pages.data?.pages.flatMap((page) => page.accesses) ?? [];
  const isFiltered = [who, what, table, primaryKey].some((member) => member !== undefined);
  return (
    <>
      <PageHeading title="Accesses">
        <Button
          size="xs"
          variant="default"
          loading={pages.isRefetching && !pages.isFetchingNextPage}
          onClick={() => void pages.refetch()}
        >
          Look again
        </Button>
      </PageHeading>
      <Text size="sm" c="dimmed" mb="md" maw={720}>
        Whoever looks at the trail leaves an entry in a log of its own, signed and proven like the others:
        here, by the API and on the command line.
      </Text>
      <Filter key={JSON.stringify(address)} address={address} />
      {pages.error && <ErrorState error={pages.error} onRetry={() => void pages.refetch()} />}
      {pages.isPending && <Skeleton h={480} role="status" aria-label="Loading" />}
      {pages.data && accesses.length === 0 && (
        <EmptyState title="Nobody has">
          {isFiltered
            ? 'There is no access like this. Take a filter away.'
            : 'As soon as somebody looks at the trail, it is here.'}
        </EmptyState>
      )}
      {accesses.length > 0 && (
        <Card withBorder p={0}>
          <Stack component="ol" gap={0} p={0} m={0}>
            {accesses.map((access, i) => (
              <AccessRow key={access.entry ?? `waiting ${i}`} access={access} />
            ))}
          </Stack>
        </Card>
      )}
      {pages.hasNextPage && (
        <Group justify="center" mt="md">
          <Button
            variant="default"
            loading={pages.isFetchingNextPage}
            onClick={() => void pages.fetchNextPage()}
          >
            Earlier ones
          </Button>
        </Group>
      )}
    </>
  );
}

function Filter({ address }: { readonly address: AccessesAddress }) {
  const navigate = useNavigate();
  const [who, setWho] = useState(address.who ?? '');
  const go = (changed: AccessesAddress): void =>
    void navigate({ to: '/accesses', search: (known: object) => ({ ...known, ...changed }) as never });
  const { table, primaryKey } = address;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        go({ who: who.trim() });
      }}
    >
      {/* Enter sends a form of several fields only where it has such a button. */}
      <button type="submit" hidden>
        Look
      </button>
      <Group mb="md" gap="sm" align="flex-end">
        <TextInput
          label="Who"
          placeholder="E-mail address or role"
          value={who}
          onChange={(event) => setWho(event.currentTarget.value)}
          onBlur={() => (address.who ?? '') !== who.trim() && go({ who: who.trim() })}
        />
        <Select
          label="Did what"
          placeholder="Anything"
          data={kinds}
          value={address.what ?? null}
          clearable
          clearButtonProps={{ 'aria-label': 'Anything' }}
          onChange={(what) => go({ what: what ?? '' })}
        />
        {table !== undefined && (
          <Badge
            variant="light"
            size="lg"
            tt="none"
            component="button"
            type="button"
            onClick={() => go({ table: '', primaryKey: '' })}
          >
            {primaryKey === undefined ? table : `${table} ${primaryKey}`} ×
          </Badge>
        )}
      </Group>
    </form>
  );
}

import { Skeleton, Stack } from '@mantine/core';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';

export function NoSuchPage() {
  return (
    <>
      <PageHeading title="There is no such page" />
      <EmptyState title="Nothing is at this address">The navigation leads on.</EmptyState>
    </>
  );
}

/** Something in a page itself went wrong. What it was is for whoever mends it; the rest of the pages goes on. */
export function BrokenPage({ error, reset }: ErrorComponentProps) {
  return (
    <>
      <PageHeading title="This page can’t be shown" />
      <ErrorState error={error instanceof Error ? error : new Error(String(error))} onRetry={reset} />
    </>
  );
}

/** While a page's code is on its way. */
export function PageSkeleton() {
  return (
    <Stack aria-busy aria-label="Loading" role="status">
      <Skeleton h={36} w={220} />
      <Skeleton h={220} />
    </Stack>
  );
}

import { Button, Skeleton, Stack } from '@mantine/core';
import { useLog } from '../api/use-log.ts';
import { useMay } from '../api/use-session.ts';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { CheckpointCard } from './checkpoint-card.tsx';
import { ProofCard } from './proof-card.tsx';
import { useIntegrity, useStartVerification, useVerification } from './use-integrity.ts';
import { VerificationCard } from './verification-card.tsx';

/** Whether the record is whole: what was signed last, whether it still holds, and the proof of any entry. */
export function IntegrityPage() {
  const { name, logs, error, retry } = useLog();
  const integrity = useIntegrity(name);
  const verification = useVerification(name);
  const start = useStartVerification(name);
  const mayVerify = useMay('integrity:verify');
  const mayProve = useMay('changes:read');
  const isRunning = verification.data?.verification?.state === 'running';
  const failure = error ?? integrity.error ?? verification.error;
  return (
    <>
      <PageHeading title="Integrity">
        {mayVerify && verification.data?.canStart && (
          <Button onClick={() => start.mutate()} loading={start.isPending} disabled={isRunning}>
            {isRunning ? 'Verifying …' : 'Verify now'}
          </Button>
        )}
      </PageHeading>
      {failure && (
        <ErrorState
          error={failure}
          onRetry={() => {
            retry();
            void integrity.refetch();
            void verification.refetch();
          }}
        />
      )}
      {start.error && <ErrorState error={start.error} />}
      {logs?.length === 0 && (
        <EmptyState title="Nothing is recorded yet">
          A worker signs what it records: start one by <code>bemi start</code>.
        </EmptyState>
      )}
      {!failure && logs?.length !== 0 && !(integrity.data && verification.data) && (
        // All at once: how high a card is depends on its keys and on the page's width, and what is below would move.
        <Skeleton h={520} maw={960} role="status" aria-label="Loading" />
      )}
      {!failure && integrity.data && verification.data && (
        <Stack gap="md" maw={960}>
          <CheckpointCard integrity={integrity.data} />
          <VerificationCard answer={verification.data} />
          {mayProve && name !== undefined && (
            <ProofCard log={name} keys={integrity.data.keys.map(({ key }) => key)} />
          )}
        </Stack>
      )}
    </>
  );
}

import { Alert, Anchor, Button, Card, Group, Stack, Table, Text, TextInput, Title } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { requestText } from '../api/request.ts';
import { ErrorState } from '../elements/states.tsx';
import type { CheckedProof } from './check-proof.ts';

interface FetchedProof {
  readonly sequence: string;
  readonly text: string;
  readonly checked: CheckedProof;
}

/** The proof of one entry: fetched, checked here, and to take away. */
export function ProofCard({ log, keys }: { readonly log: string; readonly keys: readonly string[] }) {
  const [sequence, setSequence] = useState('');
  const proof = useMutation({
    mutationFn: async (asked: string): Promise<FetchedProof> => {
      const text = await requestText(`/logs/${encodeURIComponent(log)}/entries/${asked}/proof`);
      const { checkProof } = await import('./check-proof.ts');
      return { sequence: asked, text, checked: await checkProof(text, keys) };
    },
  });
  const isNumber = /^\d{1,15}$/.test(sequence);
  return (
    <Card withBorder component="section" aria-labelledby="proof">
      <Stack gap="sm">
        <Title order={2} size="h4" id="proof">
          Proof of an entry
        </Title>
        <Text size="sm" c="dimmed">
          That a change is in the log, unaltered. It is checked here in your browser, and by anybody else on{' '}
          <Anchor href="/verify" target="_blank" inherit underline="always">
            a page that needs no server
          </Anchor>
          .
        </Text>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isNumber) proof.mutate(sequence);
          }}
        >
          <Group align="flex-end" gap="sm">
            <TextInput
              label="Sequence"
              description="Of the entry: it is in its details"
              inputMode="numeric"
              value={sequence}
              onChange={(event) => setSequence(event.currentTarget.value.replaceAll(/\D/g, ''))}
            />
            <Button type="submit" variant="default" loading={proof.isPending} disabled={!isNumber}>
              Prove it
            </Button>
          </Group>
        </form>
        {proof.error && <ErrorState error={proof.error} />}
        {proof.data && <Checked {...proof.data} />}
      </Stack>
    </Card>
  );
}

function Checked({ sequence, text, checked }: FetchedProof) {
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(text)}`;
  return (
    <Stack gap="xs" aria-live="polite">
      {checked.isValid ? (
        <>
          <Alert color="green" icon={<IconCircleCheck aria-hidden />} title={`Proven: ${checked.headline}`}>
            In this browser, by the log’s own keys, without believing the server.
          </Alert>
          <Table variant="vertical" layout="auto">
            <Table.Tbody>
              {checked.facts.map(([name, fact], i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the facts of one proof never change
                <Table.Tr key={i}>
                  <Table.Th scope="row" w={140}>
                    {name}
                  </Table.Th>
                  <Table.Td style={{ overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}>{fact}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </>
      ) : (
        <Alert color="red" icon={<IconAlertTriangle aria-hidden />} title="Not proven" role="alert">
          {checked.message}
        </Alert>
      )}
      <Anchor href={file} download={`entry-${sequence}.tlog-proof`} size="sm">
        Download the proof
      </Anchor>
    </Stack>
  );
}

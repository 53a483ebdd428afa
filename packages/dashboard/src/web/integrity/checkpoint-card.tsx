import { Anchor, Card, Code, Group, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Integrity } from '../../api/integrity.ts';
import { CopyButton } from '../elements/copy-button.tsx';
import { Moment } from '../elements/moment.tsx';

/** What was signed last, and by whose key. */
export function CheckpointCard({ integrity }: { readonly integrity: Integrity }) {
  const { origin, size, root, signedAt, checkpoint, keys } = integrity;
  const file = `data:text/plain;charset=utf-8,${encodeURIComponent(checkpoint)}`;
  return (
    <Card withBorder component="section" aria-labelledby="checkpoint">
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Title order={2} size="h4" id="checkpoint">
            Last checkpoint
          </Title>
          <Group gap="md">
            <CopyButton value={checkpoint} label="Copy the checkpoint" />
            <Anchor href={file} download="checkpoint.txt" size="sm">
              Download
            </Anchor>
          </Group>
        </Group>
        <Text size="sm" c="dimmed">
          A signed statement of everything in the log. Keep one elsewhere, and nobody can change what it
          covers without being found out.
        </Text>
        <Table variant="vertical" layout="auto">
          <Table.Tbody>
            <Row name="Signed">
              <Moment at={signedAt} />
            </Row>
            <Row name="Entries">
              <span className="tabular">{BigInt(size).toLocaleString()}</span>
            </Row>
            <Row name="Root hash">
              <Code style={{ overflowWrap: 'anywhere' }}>{root}</Code>
            </Row>
            <Row name="Log">
              <Code style={{ overflowWrap: 'anywhere' }}>{origin}</Code>
            </Row>
            {keys.map(({ key, since, isCurrent }) => (
              <Row key={key} name={isCurrent ? 'Key' : 'Earlier key'}>
                <Code style={{ overflowWrap: 'anywhere' }}>{key}</Code>
                <Text size="xs" c="dimmed">
                  since <Moment at={since} />. Compare it with the one that you have kept.
                </Text>
              </Row>
            ))}
          </Table.Tbody>
        </Table>
      </Stack>
    </Card>
  );
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th w={120} scope="row">
        {name}
      </Table.Th>
      <Table.Td>{children}</Table.Td>
    </Table.Tr>
  );
}

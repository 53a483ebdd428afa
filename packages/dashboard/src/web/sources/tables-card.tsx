import { Button, Card, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import type { SourceChecks } from '../../api/source.ts';
import { Dialog } from '../elements/dialog.tsx';
import { SqlBlock } from './sql-block.tsx';

interface TablesCardProps {
  readonly checks: SourceChecks;
  readonly publication: string;
}

const identities = {
  full: 'the whole old row',
  default: 'the primary key',
  index: 'a unique index',
  nothing: 'nothing',
} as const;

/** Which tables the source sends, and what of an old row each change has. */
export function TablesCard({ checks: { tables, tableCount, publishedCount }, publication }: TablesCardProps) {
  const [asked, setAsked] = useState<SourceChecks['tables'][number]>();
  return (
    <Card withBorder component="section" aria-labelledby="tables">
      <Title order={2} size="h4" id="tables">
        Tables in the publication
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {publishedCount.toLocaleString()} of {tableCount.toLocaleString()} are sent by {publication}
        {tableCount > tables.length && `; the first ${tables.length} are shown`}.
      </Text>
      <Table.ScrollContainer minWidth={460} type="native" tabIndex={0} aria-label="Tables, a table">
        <Table verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Table</Table.Th>
              <Table.Th>In it</Table.Th>
              <Table.Th>Of the old row</Table.Th>
              <Table.Th ta="end">Rows, about</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tables.map((each) => (
              <Table.Tr key={nameOf(each)}>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>{nameOf(each)}</Table.Td>
                <Table.Td>
                  {each.isPublished ? 'yes' : 'no'}{' '}
                  <Button
                    size="compact-xs"
                    variant="default"
                    aria-label={`SQL for ${nameOf(each)}`}
                    onClick={() => setAsked(each)}
                  >
                    SQL
                  </Button>
                </Table.Td>
                <Table.Td>{each.isPublished ? identities[each.identity] : ''}</Table.Td>
                <Table.Td ta="end" className="tabular">
                  {each.rowEstimate === null ? '' : each.rowEstimate.toLocaleString()}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {asked && (
        <Dialog
          isOpen
          onClose={() => setAsked(undefined)}
          title={asked.isPublished ? `Take ${nameOf(asked)} out` : `Bring ${nameOf(asked)} in`}
        >
          <Text size="sm" mb="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
            {asked.note ?? 'Run this on the source, as the owner of the publication and of the table:'}
          </Text>
          {asked.sql.length > 0 && <SqlBlock sql={asked.sql} label={`Copy the SQL for ${nameOf(asked)}`} />}
          {asked.isPublished && (
            <Text size="sm" c="dimmed" mt="sm">
              Without touching the source, a rule turns off its recording: What is recorded, on this page.
            </Text>
          )}
        </Dialog>
      )}
    </Card>
  );
}

function nameOf({ schema, table }: SourceChecks['tables'][number]): string {
  return schema === 'public' ? table : `${schema}.${table}`;
}

import { Card, Table, Text, Title } from '@mantine/core';
import type { SourceChecks } from '../../api/source.ts';

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
export function TablesCard({ checks: { tables, tableCount }, publication }: TablesCardProps) {
  const sent = tables.filter(({ isPublished }) => isPublished).length;
  return (
    <Card withBorder component="section" aria-labelledby="tables">
      <Title order={2} size="h4" id="tables">
        Tables
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {sent.toLocaleString()} of {tableCount.toLocaleString()} are in the publication {publication}
        {tableCount > tables.length && `; the first ${tables.length} are shown`}.
      </Text>
      <Table.ScrollContainer minWidth={460} type="native" tabIndex={0} aria-label="Tables, a table">
        <Table verticalSpacing={4}>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Table</Table.Th>
              <Table.Th>Sent</Table.Th>
              <Table.Th>Of the old row</Table.Th>
              <Table.Th ta="end">Rows, about</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {tables.map(({ schema, table, isPublished, identity, rowEstimate }) => (
              <Table.Tr key={`${schema}.${table}`}>
                <Table.Td style={{ overflowWrap: 'anywhere' }}>
                  {schema === 'public' ? table : `${schema}.${table}`}
                </Table.Td>
                <Table.Td>{isPublished ? 'yes' : 'no'}</Table.Td>
                <Table.Td>{isPublished ? identities[identity] : ''}</Table.Td>
                <Table.Td ta="end" className="tabular">
                  {rowEstimate === null ? '' : rowEstimate.toLocaleString()}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

import { Anchor, Table, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { type ChartLink, numberText } from '../elements/chart/chart-series.ts';

export interface TopRow {
  readonly name: string;
  readonly count: number;
  readonly link: ChartLink;
}

interface TopListProps {
  readonly label: string;
  readonly rows: readonly TopRow[];
  /** Of which each row has a share. */
  readonly total: number;
  readonly color?: string;
}

/** Names with their counts, the greatest first, each with its share and leading to what it counts. */
export function TopList({ label, rows, total, color = 'var(--bemi-updated)' }: TopListProps) {
  const most = Math.max(...rows.map(({ count }) => count), 1);
  return (
    <Table aria-label={label} verticalSpacing={4} horizontalSpacing={0} layout="fixed">
      <colgroup>
        <col />
        <col style={{ width: 84 }} />
        <col style={{ width: 64 }} />
      </colgroup>
      <Table.Thead className="only-heard">
        <Table.Tr>
          <Table.Th scope="col">Name</Table.Th>
          <Table.Th scope="col">Changes</Table.Th>
          <Table.Th scope="col">Share</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {rows.map(({ name, count, link }) => (
          <Table.Tr key={name}>
            <Table.Td>
              <Anchor
                component={Link}
                to={link.to as never}
                search={link.search as never}
                size="sm"
                style={{ overflowWrap: 'anywhere' }}
              >
                {name}
              </Anchor>
              <div className="top-bar" style={{ width: `${(100 * count) / most}%`, background: color }} />
            </Table.Td>
            <Table.Td ta="end" className="tabular">
              {numberText(count)}
            </Table.Td>
            <Table.Td ta="end" className="tabular">
              <Text span inherit c="dimmed">
                {shareText(count, total)}
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

const percent = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });

/** `12.5%`; what is little is not nothing, and what is nearly all is not all. */
export function shareText(count: number, total: number): string {
  if (total === 0) return percent.format(0);
  const share = count / total;
  if (share > 0 && share < 0.001) return `< ${percent.format(0.001)}`;
  return share < 1 && share > 0.999 ? `> ${percent.format(0.999)}` : percent.format(share);
}

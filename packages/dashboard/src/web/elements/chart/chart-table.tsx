import { Anchor, Table } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type ChartLink, type ChartSeries, numberText } from './chart-series.ts';

interface ChartTableProps {
  readonly label: string;
  readonly times: readonly Date[];
  readonly series: readonly ChartSeries[];
  timeText(index: number): string;
  valueText?(value: number): string;
  linkOf?(index: number, series?: number): ChartLink | undefined;
}

/** The numbers of a chart, the newest first, for those who don't see it and those who want them exactly. */
export function ChartTable({ label, times, series, timeText, valueText, linkOf }: ChartTableProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details className="chart-numbers" onToggle={(event) => setIsOpen(event.currentTarget.open)}>
      <summary>Numbers</summary>
      {isOpen && (
        // A region that is scrolled is reached by keyboard.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: as axe asks of what scrolls
        <section className="chart-numbers-room" tabIndex={0} aria-label={label}>
          <Table aria-label={label} verticalSpacing={2} stickyHeader>
            <Table.Thead>
              <Table.Tr>
                <Table.Th scope="col">Time</Table.Th>
                {series.map(({ name }) => (
                  <Table.Th key={name} scope="col" ta="end">
                    {name}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {times
                .map((at, index) => ({ at, index, link: linkOf?.(index) }))
                .toReversed()
                .map(({ at, index, link }) => (
                  <Table.Tr key={at.getTime()}>
                    <Table.Th scope="row" fw={400}>
                      {link ? (
                        <Anchor
                          component={Link}
                          to={link.to as never}
                          search={link.search as never}
                          size="sm"
                        >
                          {timeText(index)}
                        </Anchor>
                      ) : (
                        timeText(index)
                      )}
                    </Table.Th>
                    {series.map(({ name, values }) => (
                      <Table.Td key={name} ta="end" className="tabular">
                        {cellText(values[index], valueText)}
                      </Table.Td>
                    ))}
                  </Table.Tr>
                ))}
            </Table.Tbody>
          </Table>
        </section>
      )}
    </details>
  );
}

function cellText(value: number | null | undefined, valueText = numberText): string {
  return value === null || value === undefined ? '' : valueText(value);
}

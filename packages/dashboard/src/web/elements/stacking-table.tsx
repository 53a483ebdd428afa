import { Table, VisuallyHidden } from '@mantine/core';
import type { ReactNode } from 'react';
import './stacking-table.css';

interface StackingTableProps {
  readonly label: string;
  /** The last one is of what to do with a row: it is only heard. */
  readonly columns: readonly string[];
  readonly children: ReactNode;
}

/**
 * A table whose rows stand as blocks on a phone, each value behind the name of its column, so that nothing is out of sight. Roles
 * are said, since a table that isn't displayed as one has none.
 */
export function StackingTable({ label, columns, children }: StackingTableProps) {
  return (
    <Table role="table" aria-label={label} verticalSpacing="xs" className="stacking-table">
      <Table.Thead role="rowgroup">
        <Table.Tr role="row">
          {columns.map((column, place) => (
            <Table.Th role="columnheader" key={column} style={{ position: 'relative' }}>
              {place === columns.length - 1 ? <VisuallyHidden>{column}</VisuallyHidden> : column}
            </Table.Th>
          ))}
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody role="rowgroup">{children}</Table.Tbody>
    </Table>
  );
}

export function StackingRow({ children }: { readonly children: ReactNode }) {
  return <Table.Tr role="row">{children}</Table.Tr>;
}

/** @param of - the column. */
export function StackingCell({ of, children }: { readonly of: string; readonly children: ReactNode }) {
  return (
    <Table.Td role="cell" data-column={of}>
      <div>{children}</div>
    </Table.Td>
  );
}

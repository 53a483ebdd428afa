import { Anchor, Text } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { Table } from '../../api/log.ts';
import { tableName } from '../entries/table-name.ts';
import { guessedReferrers } from './key-links.ts';

interface ReferrersProps {
  readonly log: string;
  readonly table: Table;
  readonly tables: readonly Table[];
  readonly primaryKey: string;
}

/** Searches for changes of other records that seem to name this one. */
export function Referrers({ log, table, tables, primaryKey }: ReferrersProps) {
  const referrers = guessedReferrers(table, tables);
  if (referrers.length === 0) return null;
  return (
    <Text size="sm" mt="md">
      Seem to name it, by their columns’ names:{' '}
      {referrers.map(({ table: from, column }, index) => (
        <span key={`${tableName(from.schema, from.table)} ${column}`}>
          {index > 0 && ', '}
          <Anchor
            component={Link}
            to="/logs"
            search={
              {
                log,
                table: tableName(from.schema, from.table),
                value: `${column}=${primaryKey}`,
              } as never
            }
            inherit
            underline="always"
          >
            changes of {from.table} with this {column}
          </Anchor>
        </span>
      ))}
    </Text>
  );
}

import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { tableName } from './table-name.ts';

interface RecordLinkProps {
  readonly log: string;
  readonly schema: string;
  readonly table: string;
  readonly primaryKey: string;
  readonly children: ReactNode;
}

/** To the whole life of a record. */
export function RecordLink({ log, schema, table, primaryKey, children }: RecordLinkProps) {
  return (
    <Anchor
      component={Link}
      to="/record"
      search={{ log, table: tableName(schema, table), primaryKey } as never}
      title={`The whole life of this record of ${table}`}
      className="record-link"
      inherit
    >
      {children}
    </Anchor>
  );
}

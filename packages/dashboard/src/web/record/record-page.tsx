import { keyText } from '@bemi-db/trail/facts/key-text';
import { Button, Skeleton } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { Link, useSearch } from '@tanstack/react-router';
import type { Table } from '../../api/log.ts';
import { useLog } from '../api/use-log.ts';
import { useTables } from '../api/use-logs.ts';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { tableName } from '../entries/table-name.ts';
import { RecordFinder } from './record-finder.tsx';
import { RecordView } from './record-view.tsx';
import './record.css';

/** The life of one record, and how it was at any moment of it. */
export function RecordPage() {
  const { name: log, logs, ...choice } = useLog();
  const address = useSearch({ from: '/shell/record' });
  const tables = useTables(log);
  const { table: asked, primaryKey } = address;
  const table = tables.data?.find((each) => isCalled(each, asked));
  const error = choice.error ?? tables.error;
  if (asked === undefined || primaryKey === undefined || (tables.data && !table))
    return (
      <>
        <PageHeading title="Record" />
        {error ? (
          <ErrorState error={error} onRetry={choice.error ? choice.retry : () => void tables.refetch()} />
        ) : logs?.length === 0 || tables.data?.length === 0 ? (
          <EmptyState title="Nothing is recorded yet">
            As soon as a change is recorded, the life of each record can be looked at here. bemi status says
            what the worker does.
          </EmptyState>
        ) : (
          <>
            {asked !== undefined && tables.data && !table && (
              <EmptyState title={`There are no changes of a table ${asked}`}>
                Nothing of it is recorded, or you may not see it. Choose another one.
              </EmptyState>
            )}
            <RecordFinder key={log} log={log} tables={tables.data} />
          </>
        )}
      </>
    );
  const name = table ? (table.schema === 'public' ? table.table : `${table.schema}.${table.table}`) : asked;
  return (
    <>
      <PageHeading title={`${name} ${keyText(primaryKey)}`}>
        <Button
          component={Link}
          to="/record"
          search={{ ...(log === undefined ? {} : { log }) } as never}
          variant="default"
          size="xs"
          leftSection={<IconSearch size={14} aria-hidden />}
        >
          Another record
        </Button>
      </PageHeading>
      {error && (
        <ErrorState error={error} onRetry={choice.error ? choice.retry : () => void tables.refetch()} />
      )}
      {!error &&
        (log !== undefined && table && tables.data ? (
          <RecordView
            key={`${log} ${tableName(table.schema, table.table)} ${primaryKey}`}
            log={log}
            table={table}
            tables={tables.data}
            primaryKey={primaryKey}
          />
        ) : (
          <Skeleton h={480} role="status" aria-label="Loading" />
        ))}
    </>
  );
}

/** `public.Patient`, quoted as it has to be, or `Patient` where there is one of that name. */
function isCalled({ schema, table }: Table, asked: string | undefined): boolean {
  return asked === tableName(schema, table) || asked === table || asked === `${schema}.${table}`;
}

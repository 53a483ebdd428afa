import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { plainText } from '@bemi-db/trail/facts/json-members';
import { Alert, Anchor, Checkbox, Group, Skeleton, Text, Title } from '@mantine/core';
import { IconEqualNot } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import type { Table } from '../../api/log.ts';
import { Moment } from '../elements/moment.tsx';
import { ErrorState } from '../elements/states.tsx';
import { ValueText } from '../elements/value-text.tsx';
import { tableName } from '../entries/table-name.ts';
import { CopyState } from './copy-state.tsx';
import { guessedReference } from './key-links.ts';
import type { KnownState } from './record-life.ts';
import { type ComparedColumn, comparedColumns } from './row-comparison.ts';
import type { StateAnswer } from './use-record.ts';

interface StatePanelProps {
  readonly log: string;
  readonly table: Table;
  readonly tables: readonly Table[];
  readonly shown: StateAnswer;
  /** Beside it; `undefined` where there is nothing to compare with. */
  readonly compared: StateAnswer | undefined;
  readonly isNow: boolean;
  /** Sequence of the moment that it is compared with; `undefined` for now. */
  readonly other: string | undefined;
  onCompareNow(): void;
}

/** The whole row at a moment, and what was or is different at another. */
export function StatePanel(props: StatePanelProps) {
  const { log, table, tables, shown, compared, isNow, other } = props;
  const [isOnlyDifferent, setOnlyDifferent] = useState(false);
  const error = shown.error ?? compared?.error;
  if (error) return <ErrorState error={error} />;
  if (!shown.data || (compared && !compared.data))
    return <Skeleton h={300} role="status" aria-label="Loading" mt="sm" />;
  const { state, row } = shown.data;
  const columns = comparedColumns(row, compared?.data?.row ?? null);
  const differing = columns.filter(({ differs }) => differs).length;
  const listed = compared && isOnlyDifferent ? columns.filter(({ differs }) => differs) : columns;
  return (
    <>
      <Group justify="space-between" mt="sm" mb={4} gap="xs">
        <Title order={2} size="h4">
          {isNow ? 'As it is now' : 'As it was'}
        </Title>
        {row !== null && <CopyState schema={table.schema} table={table.table} row={row} />}
      </Group>
      <StateNote state={shown.data} isNow={isNow} />
      {shown.missing.length > 0 && (
        <Text size="sm" c="var(--bemi-doubt)" mb="xs">
          The log does not have the values of {shown.missing.map(harmless).join(', ')} at that moment: large
          values that no change touched are not in the write-ahead log without REPLICA IDENTITY FULL.
        </Text>
      )}
      {compared && row !== null && (
        <Group gap="md" mb="xs">
          <Text size="sm">
            {differing === 0 ? 'Nothing differs' : `${differing} of ${columns.length} columns differ`}
            {other === undefined ? ' from now' : ' from the other moment'}
          </Text>
          {differing > 0 && (
            <Checkbox
              size="xs"
              label="Only these"
              checked={isOnlyDifferent}
              onChange={({ currentTarget }) => setOnlyDifferent(currentTarget.checked)}
            />
          )}
          {other !== undefined && (
            <Anchor component="button" type="button" size="sm" onClick={props.onCompareNow}>
              Compare with now
            </Anchor>
          )}
        </Group>
      )}
      {row !== null && (
        <table className="state-table" aria-label={state === 'deleted' ? 'Its last values' : 'Its values'}>
          <thead>
            <tr>
              <th scope="col">Column</th>
              <th scope="col">{compared ? 'Then' : 'Value'}</th>
              {compared && <th scope="col">{otherTitle(compared, other)}</th>}
            </tr>
          </thead>
          <tbody>
            {listed.map((column) => (
              <StateRow
                key={column.name}
                column={column}
                isCompared={compared !== undefined}
                reference={isKey(table, column.name) ? undefined : guessedReference(column.name, tables)}
                log={log}
              />
            ))}
          </tbody>
        </table>
      )}
    </>
  );
}

function isKey({ key }: Table, column: string): boolean {
  return key.length === 1 && key[0] === column;
}

function otherTitle({ data }: StateAnswer, other: string | undefined) {
  if (other !== undefined && data?.timestamp) return <Moment at={data.timestamp} />;
  return data?.state === 'deleted' ? 'At its end' : 'Now';
}

function StateNote({
  state: { state, timestamp, row },
  isNow,
}: {
  readonly state: KnownState;
  readonly isNow: boolean;
}) {
  const when = timestamp !== null && <Moment at={timestamp} />;
  if (state === 'present')
    return (
      <Text size="sm" c="dimmed" mb="xs">
        {isNow ? 'Since' : 'From'} {when}
      </Text>
    );
  if (state === 'deleted')
    return (
      <Alert color="red" variant="light" p="xs" mb="xs">
        Deleted {when}. {row === null ? 'Its last values are not in the log.' : 'These were its last values.'}
      </Alert>
    );
  return (
    <Alert color="yellow" variant="light" p="xs" mb="xs">
      {timestamp === null
        ? 'It was not there yet, as far as the log knows.'
        : 'Its values are not in the log: they were erased, or are in quarantine.'}
    </Alert>
  );
}

interface StateRowProps {
  readonly column: ComparedColumn;
  readonly isCompared: boolean;
  readonly reference: Table | undefined;
  readonly log: string;
}

function StateRow({ column: { name, shown, other, differs }, isCompared, reference, log }: StateRowProps) {
  const isMarked = isCompared && differs;
  return (
    <tr data-differs={isMarked || undefined}>
      <th scope="row">
        {harmless(name)}
        {isMarked && (
          <IconEqualNot size={14} role="img" aria-label="differs" aria-hidden={false} className="differs" />
        )}
      </th>
      <td>
        <ValueText json={shown} />
        {reference && shown !== undefined && shown !== 'null' && (
          <ReferenceLink log={log} table={reference} json={shown} />
        )}
      </td>
      {isCompared && (
        <td>
          <ValueText json={other} />
        </td>
      )}
    </tr>
  );
}

/** The log knows no foreign keys: that this leads to the right record is a guess, and says so. */
function ReferenceLink({
  log,
  table: { schema, table },
  json,
}: {
  readonly log: string;
  readonly table: Table;
  readonly json: string;
}) {
  return (
    <Anchor
      component={Link}
      to="/record"
      search={{ log, table: tableName(schema, table), primaryKey: plainText(json) } as never}
      size="xs"
      display="block"
      title={`By the column’s name this seems to be the key of a record of ${table}`}
    >
      {table}?
    </Anchor>
  );
}

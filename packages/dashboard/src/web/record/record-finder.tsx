import { Button, Group, Select, Skeleton, Stack, Text, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import type { Table } from '../../api/log.ts';
import { tableName } from '../entries/table-name.ts';

interface RecordFinderProps {
  readonly log: string | undefined;
  readonly tables: readonly Table[] | undefined;
}

/** Leads to a record by its table and its key, a field for each column of the key. */
export function RecordFinder({ log, tables }: RecordFinderProps) {
  const navigate = useNavigate();
  const [chosen, setChosen] = useState<string | null>(null);
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  if (!tables) return <Skeleton h={200} maw={480} role="status" aria-label="Loading" />;
  const table = tables.find((each) => tableName(each.schema, each.table) === chosen) ?? tables[0]!;
  const isComplete = table.key.length > 0 && table.key.every((column) => (values[column] ?? '') !== '');

  function find(event: FormEvent): void {
    event.preventDefault();
    const texts = table.key.map((column) => values[column] ?? '');
    const search = {
      ...(log === undefined ? {} : { log }),
      table: tableName(table.schema, table.table),
      primaryKey: texts.length === 1 ? texts[0]! : JSON.stringify(texts),
    };
    void navigate({ to: '/record', search });
  }

  return (
    <form onSubmit={find}>
      <Stack maw={480}>
        <Text>
          The whole life of one record: who created it, each change of it, and how it was at any moment.
        </Text>
        <Select
          label="Table"
          searchable
          allowDeselect={false}
          data={tables.map((each) => ({
            value: tableName(each.schema, each.table),
            label: each.schema === 'public' ? each.table : `${each.schema}.${each.table}`,
          }))}
          value={tableName(table.schema, table.table)}
          onChange={(name) => {
            setChosen(name);
            setValues({});
          }}
        />
        {table.key.map((column) => (
          <TextInput
            key={column}
            label={column}
            description={table.key.length === 1 ? 'The value of its primary key' : 'Part of its primary key'}
            value={values[column] ?? ''}
            onChange={({ currentTarget }) => setValues({ ...values, [column]: currentTarget.value })}
          />
        ))}
        {table.key.length === 0 && (
          <Text size="sm" c="dimmed">
            This table has no primary key: its changes can be found in the logs, by their values.
          </Text>
        )}
        <Group>
          <Button type="submit" disabled={!isComplete}>
            Show its life
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

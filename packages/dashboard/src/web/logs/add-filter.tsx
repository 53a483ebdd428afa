import { Autocomplete, Button, NativeSelect, Popover, Stack, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { Table } from '../../api/log.ts';
import { type Authenticity, authenticities, type LogsAddress, withValue } from './logs-address.ts';

type Kind =
  | 'primaryKey'
  | 'actor'
  | 'changed'
  | 'value'
  | 'context'
  | 'authenticity'
  | 'withoutContext'
  | 'transaction'
  | 'transactionId';

const kinds: readonly (readonly [Kind, string])[] = [
  ['primaryKey', 'Record key'],
  ['actor', 'Who'],
  ['changed', 'Changed column'],
  ['value', 'Value of a column'],
  ['context', 'Member of the context'],
  ['authenticity', 'Authenticity of the context'],
  ['withoutContext', 'Without context'],
  ['transaction', 'Transaction, by its first entry'],
  ['transactionId', 'Transaction id of PostgreSQL'],
];

interface AddFilterProps {
  readonly address: LogsAddress;
  readonly tables: readonly Table[];
  readonly onChange: (address: LogsAddress) => void;
}

/** One more condition, of those that have no button of their own. */
export function AddFilter(props: AddFilterProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <Popover
      opened={isOpen}
      onChange={setIsOpen}
      position="bottom-start"
      trapFocus
      shadow="md"
      keepMounted={false}
      width={300}
    >
      <Popover.Target>
        <Button
          variant="default"
          size="sm"
          leftSection={<IconPlus size={14} aria-hidden />}
          onClick={() => setIsOpen(!isOpen)}
        >
          Filter
        </Button>
      </Popover.Target>
      <Popover.Dropdown aria-label="Add a filter">
        <FilterForm
          {...props}
          onChange={(address) => {
            setIsOpen(false);
            props.onChange(address);
          }}
        />
      </Popover.Dropdown>
    </Popover>
  );
}

interface Draft {
  readonly kind: Kind;
  readonly name: string;
  readonly value: string;
  readonly operator: '=' | '~' | 'is null';
  readonly side: 'value' | 'valueBefore' | 'valueAfter';
  readonly authenticity: Authenticity;
}

function FilterForm({ address, tables, onChange }: AddFilterProps) {
  const [draft, setDraft] = useState<Draft>({
    ...{ kind: 'primaryKey', name: '', value: '', operator: '=', side: 'value', authenticity: 'forged' },
  });
  const put = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });
  const chosen = tables.filter(
    ({ schema, table }) =>
      address.table?.some((name) => name === `${schema}.${table}` || name === table) ?? true,
  );
  const columns = [...new Set(chosen.flatMap((table) => table.columns))].sort();
  const result = withDraft(address, draft);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (result) onChange(result);
  };
  const { kind } = draft;
  return (
    <form onSubmit={submit}>
      <Stack gap="xs">
        <NativeSelect
          label="Filter by"
          size="sm"
          data={kinds.map(([value, label]) => ({ value, label }))}
          value={kind}
          onChange={(event) => put({ kind: event.currentTarget.value as Kind })}
        />
        {(kind === 'changed' || kind === 'value') && (
          <Autocomplete
            label="Column"
            size="sm"
            data={columns}
            limit={50}
            value={draft.name}
            onChange={(name) => put({ name })}
            comboboxProps={{ withinPortal: false }}
          />
        )}
        {kind === 'context' && (
          <TextInput
            label="Member"
            description="Dots lead into objects: user.id"
            size="sm"
            value={draft.name}
            onChange={(event) => put({ name: event.currentTarget.value })}
          />
        )}
        {kind === 'value' && (
          <>
            <NativeSelect
              label="Which side"
              size="sm"
              data={[
                { value: 'value', label: 'Before or after' },
                { value: 'valueBefore', label: 'Before' },
                { value: 'valueAfter', label: 'After' },
              ]}
              value={draft.side}
              onChange={(event) => put({ side: event.currentTarget.value as Draft['side'] })}
            />
            <NativeSelect
              label="Comparison"
              size="sm"
              data={[
                { value: '=', label: 'is' },
                { value: '~', label: 'contains' },
                { value: 'is null', label: 'is NULL' },
              ]}
              value={draft.operator}
              onChange={(event) => put({ operator: event.currentTarget.value as Draft['operator'] })}
            />
          </>
        )}
        {kind === 'authenticity' && (
          <NativeSelect
            label="The context is"
            size="sm"
            data={[...authenticities]}
            value={draft.authenticity}
            onChange={(event) => put({ authenticity: event.currentTarget.value as Authenticity })}
          />
        )}
        {valueLabels[kind] !== undefined && !(kind === 'value' && draft.operator === 'is null') && (
          <TextInput
            label={valueLabels[kind]}
            size="sm"
            value={draft.value}
            onChange={(event) => put({ value: event.currentTarget.value })}
          />
        )}
        <Button type="submit" size="xs" disabled={!result}>
          Add the filter
        </Button>
      </Stack>
    </form>
  );
}

const valueLabels: Readonly<Partial<Record<Kind, string>>> = {
  primaryKey: 'Key',
  actor: 'User, e-mail or database role',
  value: 'Value',
  context: 'Value',
  transaction: 'Sequence',
  transactionId: 'Id',
};

/** The address with the filter, or `undefined` while it lacks something. */
function withDraft(address: LogsAddress, draft: Draft): LogsAddress | undefined {
  const { kind, name, value, operator, side, authenticity } = draft;
  switch (kind) {
    case 'primaryKey':
    case 'actor':
      return value === '' ? undefined : { ...address, [kind]: value };
    case 'transaction':
    case 'transactionId':
      return /^\d{1,18}$/.test(value) ? { ...address, [kind]: value } : undefined;
    case 'changed':
      return name === '' ? undefined : withValue(address, 'changed', name);
    case 'value':
      if (name === '') return undefined;
      return withValue(
        address,
        side,
        operator === 'is null' ? `${name} is null` : `${name}${operator}${value}`,
      );
    case 'context':
      return name === '' || value === '' ? undefined : withValue(address, 'context', `${name}=${value}`);
    case 'authenticity':
      return withValue(address, 'authenticity', authenticity);
    case 'withoutContext':
      return { ...address, withoutContext: 'true' };
  }
}

import {
  Autocomplete,
  Badge,
  Button,
  Card,
  Code,
  Group,
  NativeSelect,
  Skeleton,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
} from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { RulesInForce, RulesTexts } from '../../api/rules.ts';
import { Form, useSend } from '../accounts/form.tsx';
import { request, send } from '../api/request.ts';
import { Dialog } from '../elements/dialog.tsx';
import { Moment } from '../elements/moment.tsx';
import { ErrorState } from '../elements/states.tsx';
import { exactPattern, type Rule, type RuleKind, rulesOf, withoutRule, withRule } from './rules-change.ts';

const kinds: Readonly<Record<RuleKind, string>> = {
  exclude: 'Don’t record tables',
  include: 'Record only tables',
  ignore: 'Ignore columns',
  omit: 'Omit columns',
  mask: 'Mask columns',
  hash: 'Hash columns',
};

const meanings: Readonly<Record<RuleKind, string>> = {
  exclude: 'Changes of these tables are not recorded, whatever else is said.',
  include: 'With one such rule, tables that none of them names are not recorded.',
  ignore: 'A change in which only such columns differ is not recorded.',
  omit: 'Values are left out.',
  mask: 'A mask takes the place of values.',
  hash: 'A keyed hash takes the place of values: equal ones are known. The worker needs BEMI_ENCRYPTION_KEY.',
};

/** Tables come, and others set rules too. */
const refreshMs = 15_000;

interface Change {
  readonly rule: Rule;
  readonly isRemoval: boolean;
}

/** What of a source is recorded, left out and redacted, with a reason for each change. */
export function RulesCard({ log, mayWrite }: { readonly log: string; readonly mayWrite: boolean }) {
  const path = `/logs/${encodeURIComponent(log)}/rules`;
  const [change, setChange] = useState<Change>();
  const inForce = useQuery({
    queryKey: ['rules', log],
    queryFn: ({ signal }) => request<RulesInForce>(path, signal),
    refetchInterval: refreshMs,
  });
  const { data, error } = inForce;
  if (!data)
    return error ? (
      <ErrorState error={error} onRetry={() => void inForce.refetch()} />
    ) : (
      <Skeleton h={160} role="status" aria-label="Loading the rules" />
    );
  const { rules, file, set, tables } = data;
  const mayChange = mayWrite && file === null && rules !== null;
  const listed = rules === null ? [] : rulesOf(rules);
  return (
    <Card withBorder component="section" aria-labelledby="rules">
      <Stack gap="sm">
        <Group justify="space-between" gap="xs">
          <Title order={2} size="h4" id="rules">
            What is recorded
          </Title>
          {mayChange && (
            <Button
              size="xs"
              variant="default"
              onClick={() => setChange({ rule: { kind: 'exclude', pattern: '' }, isRemoval: false })}
            >
              Add a rule
            </Button>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {listed.length === 0 && rules !== null
            ? 'Every published table is recorded, as it is.'
            : 'Rules hold for what is recorded after they were set; what is in the log stays as it is.'}
          {file !== null && ` The rules stand in ${file}: change them there.`}
          {set && (
            <>
              {' '}
              Set <Moment at={set.at} />
              {set.by !== null && ` by ${set.by}`}
              {set.reason !== null && `: ${set.reason}`}
            </>
          )}
        </Text>
        {listed.map((rule) => (
          <Group key={`${rule.kind} ${rule.pattern}`} justify="space-between" gap="xs" wrap="nowrap">
            <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
              {kinds[rule.kind]} <Code>{rule.pattern}</Code>
            </Text>
            {mayChange && (
              <Button
                size="compact-sm"
                variant="default"
                aria-label={`Remove the rule ${kinds[rule.kind]} ${rule.pattern}`}
                onClick={() => setChange({ rule, isRemoval: true })}
              >
                Remove
              </Button>
            )}
          </Group>
        ))}
        {tables.length > 0 && (
          <Table.ScrollContainer
            minWidth={420}
            type="native"
            tabIndex={0}
            aria-label="What rules mean for each table, a table"
          >
            <Table verticalSpacing={4}>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Table</Table.Th>
                  <Table.Th>Recorded</Table.Th>
                  <Table.Th>Columns</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {tables.map((table) => (
                  <TableRow
                    key={`${table.schema}.${table.table}`}
                    table={table}
                    exclusion={mayChange ? exclusionOf(rules, table) : undefined}
                    onChange={setChange}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Stack>
      {change && rules !== null && (
        <RuleDialog
          change={change}
          data={data}
          rules={rules}
          path={path}
          log={log}
          onClose={() => setChange(undefined)}
        />
      )}
    </Card>
  );
}

type RuledTable = RulesInForce['tables'][number];

/** How a table is turned off, or on again where a rule of its own turned it off; others may have it off, which stand above. */
function exclusionOf({ exclude }: RulesTexts, { schema, table, isRecorded }: RuledTable): Change | undefined {
  const pattern = exactPattern(schema, table);
  const isRemoval = exclude.includes(pattern);
  return isRecorded || isRemoval ? { rule: { kind: 'exclude', pattern }, isRemoval } : undefined;
}

interface TableRowProps {
  readonly table: RuledTable;
  readonly exclusion: Change | undefined;
  readonly onChange: (change: Change) => void;
}

function TableRow({ table: { schema, table, isRecorded, columns }, exclusion, onChange }: TableRowProps) {
  const treated = columns.filter(({ isIgnored, redaction }) => isIgnored || redaction !== null);
  const name = schema === 'public' ? table : `${schema}.${table}`;
  const turn = exclusion?.isRemoval ? 'Turn on' : 'Turn off';
  return (
    <Table.Tr>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>{name}</Table.Td>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          {isRecorded ? 'yes' : 'no'}
          {exclusion && (
            <Button
              size="compact-xs"
              variant="default"
              aria-label={`${turn} ${name}`}
              onClick={() => onChange(exclusion)}
            >
              {turn}
            </Button>
          )}
        </Group>
      </Table.Td>
      <Table.Td>
        {treated.length === 0 && 'as they are'}
        <Group gap={4}>
          {treated.map(({ name: column, isIgnored, redaction }) => (
            <Badge key={column} variant="default" tt="none">
              {column}: {[...(isIgnored ? ['ignored'] : []), ...(redaction ? [redaction] : [])].join(', ')}
            </Badge>
          ))}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

interface RuleDialogProps {
  readonly change: Change;
  readonly data: RulesInForce;
  readonly rules: RulesTexts;
  readonly path: string;
  readonly log: string;
  readonly onClose: () => void;
}

function RuleDialog({ change: { rule, isRemoval }, data, rules, path, log, onClose }: RuleDialogProps) {
  const client = useQueryClient();
  const [kind, setKind] = useState(rule.kind);
  const [pattern, setPattern] = useState(rule.pattern);
  const [reason, setReason] = useState('');
  const set = useSend(
    () => {
      const next = { kind, pattern: pattern.trim() };
      return send<RulesInForce>('PUT', path, {
        rules: isRemoval ? withoutRule(rules, rule) : withRule(rules, next),
        ...{ reason, basedOn: data.sequence },
      }).catch(async (cause: unknown) => {
        // Somebody may have been faster: what he set is seen behind this dialog, and another try is based on it.
        await client.invalidateQueries({ queryKey: ['rules', log] });
        throw cause;
      });
    },
    (answer) => {
      client.setQueryData(['rules', log], answer);
      onClose();
    },
  );
  const isOfTables = kind === 'exclude' || kind === 'include';
  const suggestions = data.tables.flatMap(({ schema, table, columns }) =>
    isOfTables ? [exactPattern(schema, table)] : columns.map(({ name }) => exactPattern(schema, table, name)),
  );
  return (
    <Dialog isOpen onClose={onClose} title={isRemoval ? 'Remove a rule' : 'Add a rule'}>
      <Form onSubmit={() => set.mutate(undefined)} error={set.error}>
        {isRemoval ? (
          <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
            {kinds[rule.kind]} <Code>{rule.pattern}</Code>
          </Text>
        ) : (
          <>
            <NativeSelect
              label="Rule"
              description={meanings[kind]}
              data={Object.entries(kinds).map(([value, label]) => ({ value, label }))}
              value={kind}
              onChange={(event) => setKind(event.currentTarget.value as RuleKind)}
            />
            <Autocomplete
              label={isOfTables ? 'Tables' : 'Columns'}
              description={
                isOfTables
                  ? 'schema.table, or table; * stands for any characters'
                  : 'schema.table.column, table.column, or column; * stands for any characters'
              }
              data={[...new Set(suggestions)]}
              limit={20}
              value={pattern}
              onChange={setPattern}
              required
              withAsterisk={false}
              spellCheck={false}
            />
          </>
        )}
        <TextInput
          label="Reason"
          description="It stays in the log, with your name."
          placeholder="Sessions are no records"
          maxLength={2_000}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          required
          withAsterisk={false}
          autoComplete="off"
        />
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={set.isPending}>
            {isRemoval ? 'Remove the rule' : 'Set the rule'}
          </Button>
        </Group>
      </Form>
    </Dialog>
  );
}

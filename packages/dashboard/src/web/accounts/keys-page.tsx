import { Badge, Button, Code, Select, Skeleton, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ApiKey, MadeKey } from '../../api/account.ts';
import { request, send } from '../api/request.ts';
import { Dialog } from '../elements/dialog.tsx';
import { Moment } from '../elements/moment.tsx';
import { PageHeading } from '../elements/page-heading.tsx';
import { StackingCell, StackingRow, StackingTable } from '../elements/stacking-table.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { Form, useSend } from './form.tsx';
import { fewestRights, patternsOf, RightsFields } from './rights-fields.tsx';
import { ShownOnce } from './shown-once.tsx';

/** `/keys`: keys by which programs ask the API. */
export function KeysPage() {
  const queryClient = useQueryClient();
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<string>();
  const keys = useQuery({
    queryKey: ['keys'],
    queryFn: async ({ signal }) => (await request<{ keys: ApiKey[] }>('/accounts/keys', signal)).keys,
  });
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['keys'] });
  const revoke = useSend((id: string) => send<undefined>('DELETE', `/accounts/keys/${id}`), refresh);
  return (
    <>
      <PageHeading title="API keys">
        <Button leftSection={<IconPlus size={18} aria-hidden />} onClick={() => setMaking(true)}>
          Make a key
        </Button>
      </PageHeading>
      {made !== undefined && (
        <ShownOnce
          title="The key"
          advice="Send it in the header Authorization, after the word Bearer. It is stored nowhere and not shown again."
          secret={made}
          onClose={() => setMade(undefined)}
        />
      )}
      {keys.error && <ErrorState error={keys.error} onRetry={() => void refresh()} />}
      {revoke.error && <ErrorState error={revoke.error} />}
      {keys.isPending && <Skeleton h={160} />}
      {keys.data?.length === 0 && (
        <EmptyState title="There is no key yet">
          A key lets a program ask the API, with a role and tables of its own.
        </EmptyState>
      )}
      {keys.data && keys.data.length > 0 && (
        <StackingTable
          label="API keys"
          columns={['Name', 'Begins with', 'Role', 'Tables', 'Last used', 'Expires', 'What to do']}
        >
          {keys.data.map((key) => (
            <KeyRow key={key.id} apiKey={key} onRevoke={() => revoke.mutate(key.id)} />
          ))}
        </StackingTable>
      )}
      <KeyDialog
        isOpen={isMaking}
        onClose={() => setMaking(false)}
        onMade={({ key }) => {
          setMaking(false);
          setMade(key);
          void refresh();
        }}
      />
    </>
  );
}

function KeyRow({ apiKey, onRevoke }: { readonly apiKey: ApiKey; readonly onRevoke: () => void }) {
  const { id, name, role, tables, lastUsedAt, expiresAt, revokedAt } = apiKey;
  const [isSure, setSure] = useState(false);
  const isExpired = expiresAt !== null && new Date(expiresAt) < new Date();
  return (
    <StackingRow>
      <StackingCell of="Name">{name}</StackingCell>
      <StackingCell of="Begins with">
        <Code>bemi_ak_{id.slice(0, 6)}…</Code>
      </StackingCell>
      <StackingCell of="Role">{role}</StackingCell>
      <StackingCell of="Tables">
        {tables ? tables.join(', ') : role === 'operator' ? 'none' : 'all'}
      </StackingCell>
      <StackingCell of="Last used">{lastUsedAt === null ? 'never' : <Moment at={lastUsedAt} />}</StackingCell>
      <StackingCell of="Expires">{expiresAt === null ? 'never' : <Moment at={expiresAt} />}</StackingCell>
      <StackingCell of="What to do">
        {revokedAt !== null || isExpired ? (
          <Badge color="gray" variant="outline">
            {revokedAt === null ? 'expired' : 'revoked'}
          </Badge>
        ) : (
          <Button
            size="xs"
            {...(isSure ? { color: 'red' } : {})}
            variant={isSure ? 'filled' : 'default'}
            aria-label={isSure ? `Revoke ${name} for good` : `Revoke ${name}`}
            onClick={() => (isSure ? onRevoke() : setSure(true))}
          >
            {isSure ? 'For good' : 'Revoke'}
          </Button>
        )}
      </StackingCell>
    </StackingRow>
  );
}

interface KeyDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onMade: (made: MadeKey) => void;
}

const lifetimes = [
  { value: '30', label: '30 days' },
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
  { value: 'never', label: 'It never expires' },
];

function KeyDialog({ isOpen, onClose, onMade }: KeyDialogProps) {
  const [name, setName] = useState('');
  const [rights, setRights] = useState(fewestRights);
  const [days, setDays] = useState('90');
  const make = useSend(
    () =>
      send<MadeKey>('POST', '/accounts/keys', {
        ...{ name, role: rights.role, tables: patternsOf(rights) },
        days: days === 'never' ? null : Number(days),
      }),
    (made) => {
      setName('');
      setRights(fewestRights);
      onMade(made);
    },
  );
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title="Make a key">
      <Form onSubmit={() => make.mutate(undefined)} error={make.error}>
        <TextInput
          label="Name"
          description="Which program it is for."
          required
          withAsterisk={false}
          autoComplete="off"
          data-autofocus
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <RightsFields value={rights} onChange={setRights} />
        <Select
          label="Expires after"
          data={lifetimes}
          value={days}
          allowDeselect={false}
          onChange={(value) => setDays(value ?? '90')}
        />
        <Button type="submit" loading={make.isPending} mt="xs">
          Make the key
        </Button>
      </Form>
    </Dialog>
  );
}

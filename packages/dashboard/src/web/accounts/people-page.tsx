import { Badge, Button, Group, Menu, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconDots, IconUserPlus } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Invitation, MadeLink, Person } from '../../api/account.ts';
import { request, send } from '../api/request.ts';
import { Moment } from '../elements/moment.tsx';
import { PageHeading } from '../elements/page-heading.tsx';
import { StackingCell, StackingRow, StackingTable } from '../elements/stacking-table.tsx';
import { ErrorState } from '../elements/states.tsx';
import { useSend } from './form.tsx';
import { InviteDialog } from './invite-dialog.tsx';
import { PersonDialog } from './person-dialog.tsx';
import { ShownOnce } from './shown-once.tsx';

/** `/people`: who has an account, what they may, and who is invited. */
export function PeoplePage() {
  const queryClient = useQueryClient();
  const [isInviting, setInviting] = useState(false);
  const [changed, setChanged] = useState<Person>();
  const [link, setLink] = useState<{ readonly of: string; readonly url: string }>();
  const people = useQuery({
    queryKey: ['people'],
    queryFn: async ({ signal }) => (await request<{ people: Person[] }>('/accounts/people', signal)).people,
  });
  const invitations = useQuery({
    queryKey: ['invitations'],
    queryFn: async ({ signal }) =>
      (await request<{ invitations: Invitation[] }>('/accounts/invitations', signal)).invitations,
  });
  const refresh = () =>
    Promise.all(['people', 'invitations'].map((key) => queryClient.invalidateQueries({ queryKey: [key] })));
  const reset = useSend(
    ({ id }: Person) => send<MadeLink>('POST', `/accounts/people/${encodeURIComponent(id)}/link`),
    (made, { name }) => setLink({ of: name, url: `${window.location.origin}${made.path}` }),
  );
  const act = useSend(
    ([method, path]: readonly ['DELETE', string]) => send<undefined>(method, path),
    refresh,
  );
  const error = people.error ?? invitations.error;
  return (
    <>
      <PageHeading title="People">
        <Button leftSection={<IconUserPlus size={18} aria-hidden />} onClick={() => setInviting(true)}>
          Invite
        </Button>
      </PageHeading>
      {link && (
        <ShownOnce
          title={`A link for ${link.of}`}
          advice="Hand it over in a way that only they read. It works once, and is not shown again."
          secret={link.url}
          onClose={() => setLink(undefined)}
        />
      )}
      {error && <ErrorState error={error} onRetry={() => void refresh()} />}
      {(reset.error ?? act.error) && <ErrorState error={(reset.error ?? act.error)!} />}
      {people.isPending && <Skeleton h={160} />}
      {people.data && (
        <StackingTable
          label="People"
          columns={['Name', 'Role', 'Tables', 'Signs in by', 'Last seen', 'What to do']}
        >
          {people.data.map((person) => (
            <PersonRow
              key={person.id}
              person={person}
              onChange={() => setChanged(person)}
              onLink={() => reset.mutate(person)}
              onSignOut={() => act.mutate(['DELETE', `/accounts/people/${person.id}/sessions`])}
            />
          ))}
        </StackingTable>
      )}
      {invitations.data && invitations.data.length > 0 && (
        <Stack gap="xs" mt="lg">
          <Title order={2} size="h4">
            Invited
          </Title>
          {invitations.data.map(({ id, email, role, tables, expiresAt }) => (
            <Group key={id} justify="space-between" gap="xs">
              <Text size="sm">
                {email} as {role}
                {tables ? ` for ${tables.join(', ')}` : ''}, until <Moment at={expiresAt} />
              </Text>
              <Button
                size="xs"
                variant="default"
                aria-label={`Withdraw the invitation of ${email}`}
                onClick={() => act.mutate(['DELETE', `/accounts/invitations/${id}`])}
              >
                Withdraw
              </Button>
            </Group>
          ))}
        </Stack>
      )}
      <InviteDialog
        isOpen={isInviting}
        onClose={() => setInviting(false)}
        onInvited={(email, path) => {
          setInviting(false);
          setLink({ of: email, url: `${window.location.origin}${path}` });
          void refresh();
        }}
      />
      {changed && (
        <PersonDialog
          person={changed}
          onClose={() => setChanged(undefined)}
          onChanged={() => {
            setChanged(undefined);
            void refresh();
          }}
        />
      )}
    </>
  );
}

interface PersonRowProps {
  readonly person: Person;
  readonly onChange: () => void;
  readonly onLink: () => void;
  readonly onSignOut: () => void;
}

function PersonRow({ person, onChange, onLink, onSignOut }: PersonRowProps) {
  const { name, email, role, tables, isDisabled, lastSeenAt } = person;
  const ways = [
    ...(person.hasPassword ? ['password'] : []),
    ...(person.hasSecondFactor ? ['second factor'] : []),
    ...(person.hasSingleSignOn ? ['single sign-on'] : []),
  ];
  return (
    <StackingRow>
      <StackingCell of="Name">
        {name}
        <Text size="xs" c="dimmed">
          {email}
        </Text>
      </StackingCell>
      <StackingCell of="Role">
        {role ?? (
          <Badge color="yellow" variant="outline">
            waits for a role
          </Badge>
        )}{' '}
        {isDisabled && (
          <Badge color="red" variant="outline">
            disabled
          </Badge>
        )}
      </StackingCell>
      <StackingCell of="Tables">
        {tables ? tables.join(', ') : role === 'operator' ? 'none' : 'all'}
      </StackingCell>
      <StackingCell of="Signs in by">{ways.join(', ')}</StackingCell>
      <StackingCell of="Last seen">
        {lastSeenAt === null ? 'not signed in' : <Moment at={lastSeenAt} />}
      </StackingCell>
      <StackingCell of="What to do">
        <Menu position="bottom-end" withinPortal>
          <Menu.Target>
            <Button size="xs" variant="default" aria-label={`What to do with ${name}`}>
              <IconDots size={16} aria-hidden />
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={onChange}>Change role and tables</Menu.Item>
            <Menu.Item onClick={onLink}>Make a link for a new password</Menu.Item>
            <Menu.Item onClick={onSignOut}>End all sessions</Menu.Item>
          </Menu.Dropdown>
        </Menu>
      </StackingCell>
    </StackingRow>
  );
}

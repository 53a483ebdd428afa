import { Badge, Button, Group, Paper, Skeleton, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { OwnAccount } from '../../api/account.ts';
import { request, send } from '../api/request.ts';
import { Moment } from '../elements/moment.tsx';
import { PageHeading } from '../elements/page-heading.tsx';
import { ErrorState } from '../elements/states.tsx';
import { Form, useSend } from './form.tsx';
import { PasswordField } from './password-field.tsx';
import { SecondFactorSection } from './second-factor-section.tsx';

/** `/account`: one's own password, second factor and sessions. */
export function AccountPage() {
  const queryClient = useQueryClient();
  const account = useQuery({
    queryKey: ['account'],
    queryFn: ({ signal }) => request<OwnAccount>('/auth/account', signal),
  });
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['account'] });
  return (
    <>
      <PageHeading title="My account" />
      {account.error && <ErrorState error={account.error} onRetry={() => void refresh()} />}
      {account.isPending && <Skeleton h={400} maw={640} />}
      {account.data && (
        <Stack maw={640} gap="md">
          {account.data.hasPassword ? (
            <>
              <PasswordSection onChanged={refresh} />
              <SecondFactorSection isOn={account.data.hasSecondFactor} onChanged={refresh} />
            </>
          ) : (
            <Text size="sm">
              You sign in by single sign-on: password and second factor are managed there.
            </Text>
          )}
          <SessionsSection sessions={account.data.sessions} onChanged={refresh} />
        </Stack>
      )}
    </>
  );
}

function PasswordSection({ onChanged }: { readonly onChanged: () => unknown }) {
  const [currentPassword, setCurrent] = useState('');
  const [newPassword, setNew] = useState('');
  const change = useSend(
    () => send<undefined>('PUT', '/auth/account/password', { currentPassword, newPassword }),
    () => {
      setCurrent('');
      setNew('');
      return onChanged();
    },
  );
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="password-heading">
      <Title order={2} size="h4" id="password-heading" mb="sm">
        Password
      </Title>
      <Form onSubmit={() => change.mutate(undefined)} error={change.error}>
        <PasswordField label="Current password" value={currentPassword} onChange={setCurrent} />
        <PasswordField
          label="New password"
          description="At least 12 characters. All other sessions end."
          isNew
          value={newPassword}
          onChange={setNew}
        />
        <Group>
          <Button type="submit" loading={change.isPending}>
            Change the password
          </Button>
          {change.isSuccess && <Text role="status">It is changed.</Text>}
        </Group>
      </Form>
    </Paper>
  );
}

interface SessionsSectionProps {
  readonly sessions: OwnAccount['sessions'];
  readonly onChanged: () => unknown;
}

function SessionsSection({ sessions, onChanged }: SessionsSectionProps) {
  const end = useSend((id: string) => send<undefined>('DELETE', `/auth/account/sessions/${id}`), onChanged);
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="sessions-heading">
      <Title order={2} size="h4" id="sessions-heading" mb="sm">
        Where I am signed in
      </Title>
      {end.error && <ErrorState error={end.error} />}
      <Stack gap="sm">
        {sessions.map(({ id, isThis, createdAt, seenAt, address, userAgent }) => (
          <Group key={id} justify="space-between" wrap="nowrap" align="start">
            <div style={{ minWidth: 0 }}>
              <Text size="sm" style={{ overflowWrap: 'anywhere' }}>
                {browserName(userAgent)}
                {address === null ? '' : ` at ${address}`}{' '}
                {isThis && (
                  <Badge variant="outline" size="sm">
                    this one
                  </Badge>
                )}
              </Text>
              <Text size="xs" c="dimmed" component="div">
                since <Moment at={createdAt} />, last seen <Moment at={seenAt} />
              </Text>
            </div>
            {!isThis && (
              <Button
                size="xs"
                variant="default"
                aria-label={`End the session of ${browserName(userAgent)}`}
                onClick={() => end.mutate(id)}
              >
                End
              </Button>
            )}
          </Group>
        ))}
      </Stack>
    </Paper>
  );
}

/** Roughly: enough to know one's own again. */
function browserName(userAgent: string | null): string {
  if (userAgent === null) return 'An unknown browser';
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\//.exec(userAgent)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(userAgent)?.[1];
  const names: Readonly<Record<string, string>> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  const named = [browser, system].filter((text) => text !== undefined).map((text) => names[text] ?? text);
  return named.length === 0 ? userAgent.slice(0, 60) : named.join(' on ');
}

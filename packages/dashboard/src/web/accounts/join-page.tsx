import { Button, Skeleton, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLocation, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import type { OneTimeLink, SignInStep } from '../../api/account.ts';
import { send } from '../api/request.ts';
import { ErrorState } from '../elements/states.tsx';
import { Entrance } from './entrance.tsx';
import { Form, useSend } from './form.tsx';
import { PasswordField } from './password-field.tsx';

const titles = {
  'first-admin': 'Make the first admin',
  invitation: 'Welcome to Bemi',
  reset: 'Set a new password',
} as const;

/** `/join#token`: what a one-time link leads to. */
export function JoinPage() {
  const token = useLocation({ select: ({ hash }) => hash });
  const link = useQuery({
    queryKey: ['link', token],
    queryFn: () => send<OneTimeLink>('POST', '/auth/link', { token }),
    staleTime: Number.POSITIVE_INFINITY,
    enabled: token !== '',
  });
  if (token === '')
    return (
      <Entrance title="One-time link">
        <Text>This address lacks its last part. Open the link as you were given it.</Text>
      </Entrance>
    );
  if (link.error)
    return (
      <Entrance title="One-time link">
        <ErrorState error={link.error} />
      </Entrance>
    );
  return (
    <Entrance title={link.data ? titles[link.data.kind] : 'One-time link'}>
      {link.data ? <JoinForm token={token} link={link.data} /> : <Skeleton h={220} />}
    </Entrance>
  );
}

function JoinForm({ token, link }: { readonly token: string; readonly link: OneTimeLink }) {
  const [email, setEmail] = useState(link.email ?? '');
  const [name, setName] = useState(link.name ?? '');
  const [password, setPassword] = useState('');
  const queryClient = useQueryClient();
  const router = useRouter();
  const isReset = link.kind === 'reset';
  const accept = useSend(
    () =>
      send<SignInStep>('POST', '/auth/link/accept', {
        ...{ token, password },
        ...(link.email === null ? { email } : {}),
        ...(isReset || name.trim() === '' ? {} : { name }),
      }),
    async () => {
      queryClient.clear();
      await router.navigate({ to: '/', replace: true });
    },
  );
  return (
    <Form onSubmit={() => accept.mutate(undefined)} error={accept.error}>
      {link.kind === 'invitation' && link.role !== null && (
        <Text size="sm">You are invited as {link.role}. Choose a password.</Text>
      )}
      {isReset && <Text size="sm">A second factor is taken away, and all sessions end.</Text>}
      <TextInput
        label="E-mail address"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        readOnly={link.email !== null}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      {!isReset && (
        <TextInput
          label="Name"
          autoComplete="name"
          required
          withAsterisk={false}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
      )}
      <PasswordField
        label="Password"
        description="At least 12 characters. Several words that don’t belong together are good."
        isNew
        value={password}
        onChange={setPassword}
      />
      <Button type="submit" loading={accept.isPending} mt="xs">
        {isReset ? 'Set the password' : 'Make the account'}
      </Button>
    </Form>
  );
}

import { Alert, Button, Divider, Text, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import type { SignInOptions, SignInStep } from '../../api/account.ts';
import { request, send } from '../api/request.ts';
import { ErrorState } from '../elements/states.tsx';
import { Entrance } from './entrance.tsx';
import { Form, useSend } from './form.tsx';
import { ownPath } from './own-path.ts';
import { PasswordField } from './password-field.tsx';
import { SecondFactorForm } from './second-factor-form.tsx';

/** Why somebody came back from single sign-on. */
const problems: Readonly<Record<string, string>> = {
  'no-role': 'You are known now, and have no role yet: ask an admin for one, then sign in again.',
  disabled: 'This account is disabled. Ask an admin.',
  'refused-there': 'The sign-in was refused there.',
  'not-linked':
    'There is an account with your address and a password. Sign in by password, or ask for your address to be confirmed where you sign in.',
  'single-sign-on': 'The sign-in did not succeed. Try again.',
};

/** `/sign-in?next=/logs`: by password, a second factor, or single sign-on. */
export function SignInPage() {
  const { next, problem } = useSearch({ strict: false }) as {
    readonly next?: string;
    readonly problem?: string;
  };
  const queryClient = useQueryClient();
  const router = useRouter();
  const [step, setStep] = useState<'password' | 'second-factor'>('password');
  const options = useQuery({
    queryKey: ['sign-in-options'],
    queryFn: ({ signal }) => request<SignInOptions>('/auth/options', signal),
  });

  function enter(): void {
    // Of whoever was here before.
    queryClient.clear();
    router.history.replace(ownPath(next));
  }

  const known = problem === undefined ? undefined : problems[problem];
  return (
    <Entrance title={step === 'password' ? 'Sign in' : 'Second factor'}>
      {known !== undefined && step === 'password' && (
        <Alert color="yellow" role="alert" variant="outline">
          {known}
        </Alert>
      )}
      {options.data?.hasAdmin === false && (
        <Alert color="yellow" variant="outline" title="Nobody has an account yet">
          Open the link that Bemi printed when it started: it makes the first admin.
        </Alert>
      )}
      {step === 'password' ? (
        <PasswordForm onDone={(done) => (done.next === 'signed-in' ? enter() : setStep('second-factor'))} />
      ) : (
        <SecondFactorForm onDone={enter} onBack={() => setStep('password')} />
      )}
      {options.data?.singleSignOn && step === 'password' && <SingleSignOn />}
    </Entrance>
  );
}

function PasswordForm({ onDone }: { readonly onDone: (step: SignInStep) => unknown }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const signIn = useSend(() => send<SignInStep>('POST', '/auth/sign-in', { email, password }), onDone);
  return (
    <Form onSubmit={() => signIn.mutate(undefined)} error={signIn.error}>
      <TextInput
        label="E-mail address"
        type="email"
        autoComplete="username"
        required
        withAsterisk={false}
        value={email}
        onChange={(event) => setEmail(event.currentTarget.value)}
      />
      <PasswordField label="Password" value={password} onChange={setPassword} />
      <Button type="submit" loading={signIn.isPending} mt="xs">
        Sign in
      </Button>
      <Text size="sm" c="dimmed">
        Forgot it? An admin makes you a link for a new one.
      </Text>
    </Form>
  );
}

function SingleSignOn() {
  const begin = useSend(
    () => send<{ readonly url: string }>('POST', '/auth/single-sign-on', {}),
    ({ url }) => window.location.assign(url),
  );
  return (
    <>
      <Divider label="or" />
      {begin.error && <ErrorState error={begin.error} />}
      <Button variant="default" onClick={() => begin.mutate(undefined)} loading={begin.isPending}>
        Single sign-on
      </Button>
    </>
  );
}

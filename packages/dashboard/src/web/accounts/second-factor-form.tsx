import { Button, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { SignInStep } from '../../api/account.ts';
import { send } from '../api/request.ts';
import { Form, useSend } from './form.tsx';
import { TextButton } from './text-button.tsx';

interface SecondFactorFormProps {
  readonly onDone: () => unknown;
  readonly onBack: () => void;
}

/** After the password: a code of the authenticator, or one of those that were written down. */
export function SecondFactorForm({ onDone, onBack }: SecondFactorFormProps) {
  const [kind, setKind] = useState<'totp' | 'backup-code'>('totp');
  const [code, setCode] = useState('');
  const confirm = useSend(() => send<SignInStep>('POST', '/auth/second-factor', { kind, code }), onDone);
  const isTotp = kind === 'totp';
  return (
    <Form onSubmit={() => confirm.mutate(undefined)} error={confirm.error}>
      <Text size="sm">
        {isTotp
          ? 'Enter the code that your authenticator shows.'
          : 'Enter one of the codes that you kept. It works once.'}
      </Text>
      <TextInput
        key={kind}
        label={isTotp ? 'Code' : 'Backup code'}
        autoComplete={isTotp ? 'one-time-code' : 'off'}
        {...(isTotp ? { inputMode: 'numeric' } : {})}
        required
        withAsterisk={false}
        autoFocus
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Button type="submit" loading={confirm.isPending} mt="xs">
        Confirm
      </Button>
      <TextButton
        onClick={() => {
          setKind(isTotp ? 'backup-code' : 'totp');
          setCode('');
          confirm.reset();
        }}
      >
        {isTotp ? 'Use a backup code' : 'Use the authenticator'}
      </TextButton>
      <TextButton onClick={onBack}>Start again</TextButton>
    </Form>
  );
}

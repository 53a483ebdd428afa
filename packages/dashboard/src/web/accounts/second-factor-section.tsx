import { Anchor, Button, Code, Group, Paper, SimpleGrid, Text, TextInput, Title } from '@mantine/core';
import { useState } from 'react';
import type { TotpSetup } from '../../api/account.ts';
import { send } from '../api/request.ts';
import { Form, useSend } from './form.tsx';
import { PasswordField } from './password-field.tsx';
import { QrCode } from './qr-code.tsx';

interface SecondFactorSectionProps {
  readonly isOn: boolean;
  readonly onChanged: () => unknown;
}

/** An authenticator on a phone, beside the password. */
export function SecondFactorSection({ isOn, onChanged }: SecondFactorSectionProps) {
  const [setup, setSetup] = useState<TotpSetup>();
  return (
    <Paper withBorder p="md" component="section" aria-labelledby="second-factor-heading">
      <Title order={2} size="h4" id="second-factor-heading" mb="sm">
        Second factor
      </Title>
      {setup ? (
        <Confirmation
          setup={setup}
          onDone={() => {
            setSetup(undefined);
            return onChanged();
          }}
        />
      ) : (
        <Change isOn={isOn} onSetup={setSetup} onChanged={onChanged} />
      )}
    </Paper>
  );
}

interface ChangeProps extends SecondFactorSectionProps {
  readonly onSetup: (setup: TotpSetup) => void;
}

function Change({ isOn, onSetup, onChanged }: ChangeProps) {
  const [password, setPassword] = useState('');
  const begin = useSend(() => send<TotpSetup>('POST', '/auth/account/totp', { password }), onSetup);
  const turnOff = useSend(() => send<undefined>('POST', '/auth/account/totp/off', { password }), onChanged);
  const action = isOn ? turnOff : begin;
  return (
    <Form onSubmit={() => action.mutate(undefined)} error={action.error}>
      <Text size="sm">
        {isOn
          ? 'It is on: signing in asks for a code of your authenticator.'
          : 'Who knows your password alone can’t sign in then. You need an authenticator on your phone.'}
      </Text>
      <PasswordField label="Password, once more" value={password} onChange={setPassword} />
      <Group>
        <Button type="submit" loading={action.isPending} {...(isOn ? { variant: 'default' } : {})}>
          {isOn ? 'Turn it off' : 'Set it up'}
        </Button>
      </Group>
    </Form>
  );
}

function Confirmation({ setup, onDone }: { readonly setup: TotpSetup; readonly onDone: () => unknown }) {
  const [code, setCode] = useState('');
  const confirm = useSend(() => send<undefined>('POST', '/auth/account/totp/confirm', { code }), onDone);
  const secret = new URL(setup.uri).searchParams.get('secret') ?? '';
  return (
    <Form onSubmit={() => confirm.mutate(undefined)} error={confirm.error}>
      <Text size="sm">
        Scan this with your authenticator,{' '}
        <Anchor href={setup.uri} underline="always">
          open it there
        </Anchor>
        , or type the secret in:
      </Text>
      <QrCode text={setup.uri} label="The secret, for an authenticator to scan" />
      <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {secret.match(/.{1,4}/g)?.join(' ')}
      </Code>
      <Text size="sm">Keep these codes where you find them without your phone. Each works once:</Text>
      <SimpleGrid cols={2} spacing="xs" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
        {setup.backupCodes.map((each) => (
          <li key={each}>
            <Code>{each}</Code>
          </li>
        ))}
      </SimpleGrid>
      <TextInput
        label="Code of the authenticator"
        description="It counts from now on once this is right."
        inputMode="numeric"
        autoComplete="one-time-code"
        required
        withAsterisk={false}
        value={code}
        onChange={(event) => setCode(event.currentTarget.value)}
      />
      <Group>
        <Button type="submit" loading={confirm.isPending}>
          Turn it on
        </Button>
      </Group>
    </Form>
  );
}

import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { MadeLink } from '../../api/account.ts';
import { send } from '../api/request.ts';
import { Dialog } from '../elements/dialog.tsx';
import { Form, useSend } from './form.tsx';
import { fewestRights, patternsOf, RightsFields } from './rights-fields.tsx';

interface InviteDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly onInvited: (email: string, path: string) => void;
}

export function InviteDialog({ isOpen, onClose, onInvited }: InviteDialogProps) {
  const [email, setEmail] = useState('');
  const [rights, setRights] = useState(fewestRights);
  const invite = useSend(
    () =>
      send<MadeLink>('POST', '/accounts/invitations', {
        ...{ email, role: rights.role, tables: patternsOf(rights) },
      }),
    ({ path }) => {
      onInvited(email, path);
      setEmail('');
      setRights(fewestRights);
    },
  );
  return (
    <Dialog isOpen={isOpen} onClose={onClose} title="Invite somebody">
      <Form onSubmit={() => invite.mutate(undefined)} error={invite.error}>
        <TextInput
          label="E-mail address"
          description="Nothing is sent: you get a link to hand over."
          type="email"
          required
          withAsterisk={false}
          autoComplete="off"
          data-autofocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <RightsFields value={rights} onChange={setRights} />
        <Button type="submit" loading={invite.isPending} mt="xs">
          Make the link
        </Button>
      </Form>
    </Dialog>
  );
}

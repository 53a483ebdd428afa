import { Button, Group, Switch } from '@mantine/core';
import { useState } from 'react';
import type { Person, PersonChange } from '../../api/account.ts';
import { send } from '../api/request.ts';
import { Dialog } from '../elements/dialog.tsx';
import { Form, useSend } from './form.tsx';
import { patternsOf, type Rights, RightsFields } from './rights-fields.tsx';

interface PersonDialogProps {
  readonly person: Person;
  readonly onClose: () => void;
  readonly onChanged: () => void;
}

/** What somebody may do; it is so with their next request. */
export function PersonDialog({ person, onClose, onChanged }: PersonDialogProps) {
  const [rights, setRights] = useState<Rights>({
    role: person.role ?? 'viewer',
    tables: person.tables?.join('\n') ?? '',
  });
  const [isDisabled, setDisabled] = useState(person.isDisabled);
  const [isSure, setSure] = useState(false);
  const path = `/accounts/people/${encodeURIComponent(person.id)}`;
  const change = useSend(() => {
    const wanted: PersonChange = { role: rights.role, tables: patternsOf(rights), isDisabled };
    return send<Person>('PUT', path, wanted);
  }, onChanged);
  const remove = useSend(() => send<undefined>('DELETE', path), onChanged);
  return (
    <Dialog isOpen onClose={onClose} title={person.name}>
      <Form onSubmit={() => change.mutate(undefined)} error={change.error ?? remove.error}>
        <RightsFields value={rights} onChange={setRights} />
        <Switch
          label="Disabled: may not sign in"
          checked={isDisabled}
          onChange={(event) => setDisabled(event.currentTarget.checked)}
        />
        <Group justify="space-between" mt="xs">
          <Button
            variant="outline"
            color="red"
            loading={remove.isPending}
            onClick={() => (isSure ? remove.mutate(undefined) : setSure(true))}
          >
            {isSure ? 'Remove for good' : 'Remove the account'}
          </Button>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </Group>
      </Form>
    </Dialog>
  );
}

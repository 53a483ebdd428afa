import { Button, Group } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Source } from '../../api/source.ts';
import { Form, useSend } from '../accounts/form.tsx';
import { RequestError, send } from '../api/request.ts';
import { Dialog } from '../elements/dialog.tsx';
import { ConnectionField, SettingsFields, settingsOf } from './settings-fields.tsx';
import { refreshSources, sourcePath } from './use-sources.ts';

interface ChangeSourceDialogProps {
  readonly source: Source;
  readonly onClose: () => void;
}

/** Settings of a source that was added. Its connection is replaced as a whole, or stays. */
export function ChangeSourceDialog({ source, onClose }: ChangeSourceDialogProps) {
  const client = useQueryClient();
  const [connection, setConnection] = useState('');
  const [texts, setTexts] = useState({
    slot: source.slot,
    publication: source.publication,
    bufferSize: String(source.bufferSize),
    retentionDays: String(source.retentionDays),
  });
  const change = useSend(
    (evenIfUnreachable: boolean) =>
      send<Source>('PATCH', sourcePath(source.name), {
        ...(connection.trim() === '' ? {} : { connection }),
        ...{ evenIfUnreachable, ...settingsOf(texts) },
      }),
    async () => {
      await refreshSources(client);
      onClose();
    },
  );
  const isUnreachable = change.error instanceof RequestError && change.error.code === 'source-unreachable';
  return (
    <Dialog isOpen onClose={onClose} title={`Change ${source.name}`}>
      <Form onSubmit={() => change.mutate(false)} error={change.error}>
        <ConnectionField
          value={connection}
          onChange={setConnection}
          isRequired={false}
          description="Left empty, the one that is kept stays. A new one is needed whole, with its password."
        />
        <SettingsFields value={texts} onChange={setTexts} hasLog={source.lastEntryAt !== null} />
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          {isUnreachable && (
            <Button variant="default" loading={change.isPending} onClick={() => change.mutate(true)}>
              Save it anyway
            </Button>
          )}
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </Group>
      </Form>
    </Dialog>
  );
}

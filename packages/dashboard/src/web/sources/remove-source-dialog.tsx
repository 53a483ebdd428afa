import { Button, Group, Text } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import type { Source } from '../../api/source.ts';
import { Form, useSend } from '../accounts/form.tsx';
import { send } from '../api/request.ts';
import { Dialog } from '../elements/dialog.tsx';
import { SqlBlock } from './sql-block.tsx';
import { refreshSources, sourcePath } from './use-sources.ts';

interface RemoveSourceDialogProps {
  readonly source: Source;
  readonly onClose: () => void;
}

/** Ends the recording of a source that was added, and says what is left to do on the source. */
export function RemoveSourceDialog({ source, onClose }: RemoveSourceDialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useSend(
    () => send<unknown>('DELETE', sourcePath(source.name)),
    async () => {
      await navigate({ to: '/sources' });
      await refreshSources(client);
    },
  );
  return (
    <Dialog isOpen onClose={onClose} title={`Remove ${source.name}`}>
      <Form onSubmit={() => remove.mutate(undefined)} error={remove.error}>
        <Text size="sm">
          Its changes are recorded no longer. What is recorded stays, and the password that is kept here is
          deleted.
        </Text>
        <Text size="sm">
          <b>Then run this on {source.target.database}</b>: for as long as the slot is there, the server keeps
          all WAL for it, until its disk is full. Take it along now.
        </Text>
        <SqlBlock sql={source.whenRemoved} label="Copy what to run on the source" />
        <Group justify="flex-end" mt="xs">
          <Button variant="default" onClick={onClose}>
            Keep it
          </Button>
          <Button type="submit" color="red" loading={remove.isPending}>
            Remove it
          </Button>
        </Group>
      </Form>
    </Dialog>
  );
}

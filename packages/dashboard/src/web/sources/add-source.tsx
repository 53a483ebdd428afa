import { Alert, Button, Card, Group, Stack, Text, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Source } from '../../api/source.ts';
import { Form, useSend } from '../accounts/form.tsx';
import { RequestError, send } from '../api/request.ts';
import { ErrorState } from '../elements/states.tsx';
import { ChecksView } from './checks-view.tsx';
import { ConnectionField, SettingsFields, settingsOf } from './settings-fields.tsx';
import { refreshSources, useChecks } from './use-sources.ts';

interface AddSourceProps {
  readonly onAdded: (name: string) => void;
  readonly onCancel: () => void;
}

/** Adds a PostgreSQL database, as the guide says; what is wrong with it can be seen, and cured, before. */
export function AddSource({ onAdded, onCancel }: AddSourceProps) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [connection, setConnection] = useState('');
  const [texts, setTexts] = useState({
    slot: 'bemi_slot',
    publication: 'bemi_publication',
    bufferSize: '1000',
    retentionDays: '2192',
  });
  const checks = useChecks();
  const own = name.trim() === '' ? {} : { name: name.trim() };
  const add = useSend(
    (evenIfUnreachable: boolean) =>
      send<Source>('POST', '/sources', {
        ...{ ...own, connection, evenIfUnreachable, ...settingsOf(texts) },
      }),
    async (source) => {
      await refreshSources(client);
      onAdded(source.name);
    },
  );
  const isUnreachable = add.error instanceof RequestError && add.error.code === 'source-unreachable';
  const { slot, publication } = texts;
  /** What was found, or refused, was of what stood here before. */
  const forget = (): void => {
    if (!add.isPending) add.reset();
    checks.forget();
  };
  return (
    <Stack gap="md" maw={860}>
      <Card withBorder>
        <Form onSubmit={() => add.mutate(false)} error={isUnreachable ? null : add.error}>
          <ConnectionField
            value={connection}
            onChange={(text) => {
              setConnection(text);
              forget();
            }}
            isFirst
            description="Of the role that bemi setup made. It is encrypted where it is kept, and never shown again."
          />
          <TextInput
            label="Name"
            description="Of the source, and of its log. Left empty: the database’s name."
            placeholder="app"
            autoComplete="off"
            maxLength={63}
            value={name}
            onChange={(event) => {
              setName(event.currentTarget.value);
              forget();
            }}
          />
          <SettingsFields
            value={texts}
            onChange={(next) => {
              setTexts(next);
              forget();
            }}
          />
          {isUnreachable && (
            <Alert color="yellow" variant="outline" role="alert" title={add.error!.message}>
              <Text size="sm">{(add.error as RequestError).fix}</Text>
              <Button
                mt="sm"
                size="xs"
                variant="default"
                loading={add.isPending}
                onClick={() => add.mutate(true)}
              >
                Add it anyway
              </Button>
              <Text size="xs" c="dimmed" mt={4}>
                The worker then tries until it can be reached.
              </Text>
            </Alert>
          )}
          <Group gap="sm" mt="xs">
            <Button type="submit" loading={add.isPending}>
              Add the source
            </Button>
            <Button
              variant="default"
              loading={checks.isPending}
              disabled={connection.trim() === ''}
              onClick={() =>
                checks.check({ connection, ...own, slot: slot.trim(), publication: publication.trim() })
              }
            >
              Check it
            </Button>
            <Button variant="subtle" onClick={onCancel}>
              Cancel
            </Button>
          </Group>
        </Form>
      </Card>
      {checks.error && <ErrorState error={checks.error} />}
      {checks.data && (
        <Card withBorder component="section" aria-label="Checks">
          <ChecksView checks={checks.data} />
        </Card>
      )}
    </Stack>
  );
}

import { Anchor, Button, Card, Code, Group, Skeleton, Stack, Table, Text, Title } from '@mantine/core';
import { IconStethoscope } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useEffect, useState } from 'react';
import type { Source } from '../../api/source.ts';
import { RequestError } from '../api/request.ts';
import { useMay } from '../api/use-session.ts';
import { Moment } from '../elements/moment.tsx';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { ChangeSourceDialog } from './change-source-dialog.tsx';
import { ChecksView } from './checks-view.tsx';
import { RemoveSourceDialog } from './remove-source-dialog.tsx';
import { RulesCard } from './rules-card.tsx';
import { StateBadge, StateProblem, targetText } from './source-state.tsx';
import { TablesCard } from './tables-card.tsx';
import { useChecks, useSource } from './use-sources.ts';

/** `/sources/…`: one database that is recorded: its settings, what is in the way, and its tables. */
export function SourcePage() {
  const { source } = useParams({ from: '/shell/sources/$source' });
  return <OneSource key={source} name={source} />;
}

function OneSource({ name }: { readonly name: string }) {
  const source = useSource(name);
  const mayWrite = useMay('sources:write');
  const checks = useChecks();
  const { forget } = checks;
  const changedAt = source.data?.changed?.at;
  // What was found was of the settings before, whoever changed them.
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever it is another
  useEffect(forget, [changedAt]);
  const client = useQueryClient();
  const hasLog = source.data !== undefined && source.data.lastEntryAt !== null;
  // One that was added gets its log by itself: pages can be about it from then on.
  useEffect(() => {
    if (hasLog) void client.invalidateQueries({ queryKey: ['logs'] });
  }, [client, hasLog]);
  if (isGone(source.error)) return <GoneSource name={name} />;
  const isCheckable = source.data !== undefined && source.data.origin !== 'elsewhere';
  return (
    <>
      <PageHeading title={name}>
        {mayWrite && isCheckable && (
          <Button
            variant="default"
            leftSection={<IconStethoscope size={18} aria-hidden />}
            loading={checks.isPending}
            onClick={() => checks.check({ source: name })}
          >
            Check it
          </Button>
        )}
      </PageHeading>
      <AllSources />
      {source.error && <ErrorState error={source.error} onRetry={() => void source.refetch()} />}
      {source.isPending && <Skeleton h={420} maw={860} role="status" aria-label="Loading" />}
      {source.data && (
        <Stack gap="md" maw={860}>
          <StateProblem source={source.data} />
          <SettingsCard source={source.data} mayWrite={mayWrite} />
          {hasLog && <RulesCard log={name} mayWrite={mayWrite} />}
          {checks.error && <ErrorState error={checks.error} />}
          {checks.data && (
            <Card withBorder component="section" aria-label="Checks">
              <ChecksView checks={checks.data} />
            </Card>
          )}
          {checks.data && checks.data.tables.length > 0 && (
            <TablesCard checks={checks.data} publication={source.data.publication} />
          )}
        </Stack>
      )}
    </>
  );
}

function isGone(error: Error | null): boolean {
  return error instanceof RequestError && error.code === 'unknown-source';
}

/** Never there, or removed by somebody while it was looked at. */
function GoneSource({ name }: { readonly name: string }) {
  return (
    <>
      <PageHeading title={name} />
      <AllSources />
      <EmptyState title="There is no such source">
        Nothing is recorded under this name, and nothing was. It may just have been removed.
      </EmptyState>
    </>
  );
}

function AllSources() {
  return (
    <Text size="sm" mb="md">
      <Anchor renderRoot={(props) => <Link {...props} to="/sources" />}>All data sources</Anchor>
    </Text>
  );
}

function SettingsCard({ source, mayWrite }: { readonly source: Source; readonly mayWrite: boolean }) {
  const [open, setOpen] = useState<'change' | 'remove'>();
  const { origin, configuredWith, slot, publication, bufferSize, retentionDays, lastEntryAt } = source;
  const { added, changed } = source;
  return (
    <Card withBorder component="section" aria-labelledby="settings">
      <Group justify="space-between" gap="xs" mb="xs">
        <Title order={2} size="h4" id="settings">
          Settings
        </Title>
        {mayWrite && origin === 'added' && (
          <Group gap="xs">
            <Button size="xs" variant="default" onClick={() => setOpen('change')}>
              Change
            </Button>
            <Button size="xs" variant="default" onClick={() => setOpen('remove')}>
              Remove
            </Button>
          </Group>
        )}
      </Group>
      <Table variant="vertical" layout="auto">
        <Table.Tbody>
          <Row name="State">
            <StateBadge source={source} />
          </Row>
          <Row name="Connection">
            <Code style={{ overflowWrap: 'anywhere' }}>{targetText(source)}</Code>
            {origin === 'added' && (
              <Text size="xs" c="dimmed">
                The password is kept encrypted, and never shown.
              </Text>
            )}
          </Row>
          <Row name="Slot">
            <Code>{slot}</Code>
          </Row>
          <Row name="Publication">
            <Code style={{ overflowWrap: 'anywhere' }}>{publication}</Code>
          </Row>
          {bufferSize !== null && <Row name="Buffer size">{bufferSize.toLocaleString()} changes</Row>}
          {retentionDays !== null && <Row name="Retention">{retentionDays.toLocaleString()} days</Row>}
          {lastEntryAt !== null && (
            <Row name="Last entry">
              <Moment at={lastEntryAt} />
            </Row>
          )}
          {added && (
            <Row name="Added">
              <Moment at={added.at} /> by {added.by}
            </Row>
          )}
          {changed && (
            <Row name="Changed">
              <Moment at={changed.at} /> by {changed.by}
            </Row>
          )}
          {origin !== 'added' && (
            <Row name="Configured">
              {origin === 'configured'
                ? `By ${configuredWith}: change it there, and start the worker again.`
                : 'Not by this server: another worker records it, or did.'}
            </Row>
          )}
        </Table.Tbody>
      </Table>
      {open === 'change' && <ChangeSourceDialog source={source} onClose={() => setOpen(undefined)} />}
      {open === 'remove' && <RemoveSourceDialog source={source} onClose={() => setOpen(undefined)} />}
    </Card>
  );
}

function Row({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <Table.Tr>
      <Table.Th w={120} scope="row">
        {name}
      </Table.Th>
      <Table.Td style={{ overflowWrap: 'anywhere' }}>{children}</Table.Td>
    </Table.Tr>
  );
}

import { Anchor, Badge, Button, Card, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconDatabasePlus } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { Source } from '../../api/source.ts';
import { useMay } from '../api/use-session.ts';
import { Moment } from '../elements/moment.tsx';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { AddSource } from './add-source.tsx';
import { StateBadge, StateProblem, targetText } from './source-state.tsx';
import { useSources } from './use-sources.ts';

/** `/sources`: which databases are recorded, how that is going, and another one. */
export function SourcesPage() {
  const { adding } = useSearch({ from: '/shell/sources' });
  const navigate = useNavigate();
  const sources = useSources();
  const mayWrite = useMay('sources:write');
  if (adding && mayWrite) {
    return (
      <>
        <PageHeading title="Add PostgreSQL" />
        <AddSource
          onAdded={(source) => void navigate({ to: '/sources/$source', params: { source } })}
          onCancel={() => void navigate({ to: '/sources', search: {} })}
        />
      </>
    );
  }
  const { data } = sources;
  return (
    <>
      <PageHeading title="Data sources">
        {mayWrite && data?.canAdd && (
          <Button
            leftSection={<IconDatabasePlus size={18} aria-hidden />}
            onClick={() => void navigate({ to: '/sources', search: { adding: 'yes' } })}
          >
            Add PostgreSQL
          </Button>
        )}
      </PageHeading>
      {sources.error && <ErrorState error={sources.error} onRetry={() => void sources.refetch()} />}
      {sources.isPending && <Skeleton h={110} maw={860} role="status" aria-label="Loading" />}
      {data?.sources.length === 0 && (
        <EmptyState title="Nothing is recorded yet">
          {data.canAdd && mayWrite
            ? 'Add the database whose changes you want to have on record.'
            : 'An operator or admin adds one here, or the configuration of the worker names one.'}
        </EmptyState>
      )}
      {data && data.sources.length > 0 && (
        <Stack gap="sm" maw={860} component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
          {data.sources.map((source) => (
            <SourceCard key={`${source.origin} ${source.name}`} source={source} />
          ))}
        </Stack>
      )}
      {data && mayWrite && data.whyNot !== null && (
        <Text size="sm" c="dimmed" mt="md" maw={860}>
          None can be added here: {data.whyNot}
        </Text>
      )}
    </>
  );
}

function SourceCard({ source }: { readonly source: Source }) {
  const { name, origin, configuredWith, lastEntryAt } = source;
  return (
    <Card withBorder component="li">
      <Stack gap="xs">
        <Group justify="space-between" gap="xs">
          <Anchor
            fw={600}
            renderRoot={(props) => <Link {...props} to="/sources/$source" params={{ source: name }} />}
            style={{ overflowWrap: 'anywhere' }}
          >
            {name}
          </Anchor>
          <Group gap="xs">
            {origin === 'configured' && (
              <Badge variant="default" tt="none">
                {configuredWith}
              </Badge>
            )}
            <StateBadge source={source} />
          </Group>
        </Group>
        <Text size="sm" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
          {targetText(source)}
          {lastEntryAt !== null && (
            <>
              {' · last entry '}
              <Moment at={lastEntryAt} />
            </>
          )}
        </Text>
        <StateProblem source={source} />
      </Stack>
    </Card>
  );
}

import './overview.css';
import { Alert, Anchor, Group, SegmentedControl, SimpleGrid, Skeleton, Stack, Text } from '@mantine/core';
import { IconHourglass } from '@tabler/icons-react';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useLog } from '../api/use-log.ts';
import { numberText } from '../elements/chart/chart-series.ts';
import { Moment } from '../elements/moment.tsx';
import { PageHeading } from '../elements/page-heading.tsx';
import { EmptyState, ErrorState } from '../elements/states.tsx';
import { ChangesCard } from './changes-card.tsx';
import { logLink } from './log-link.ts';
import { periodOf, periods } from './overview-address.ts';
import { ActorsCard, DirectSqlCard, directOf, TablesCard, totalOf } from './top-cards.tsx';
import { shareText } from './top-list.tsx';
import { UnusualCard } from './unusual-card.tsx';
import { type CountedActivity, ownZone, useActivity } from './use-activity.ts';

/** What happened, at a glance: each number leads to the changes that it counts. */
export function OverviewPage() {
  const { log, logs, error, retry, name } = useLog();
  const address = useSearch({ from: '/shell/overview' });
  const navigate = useNavigate();
  const period = periodOf(address);
  const { data, error: failed, refetch, isPlaceholderData } = useActivity(log, period);
  const isUnknown = logs !== undefined && name !== undefined && log === undefined;
  const failure = error ?? failed;
  const total = data && totalOf(data);
  return (
    <>
      <PageHeading title="Overview">
        <SegmentedControl
          size="xs"
          aria-label="Period"
          data={periods.map(({ value, label }) => ({ value, label }))}
          value={period.value}
          onChange={(value) =>
            void navigate({
              to: '/overview',
              search: ((known: object) => ({ ...known, period: value })) as never,
              resetScroll: false,
            })
          }
        />
      </PageHeading>
      {failure && (
        <ErrorState
          error={failure}
          onRetry={() => {
            retry();
            void refetch();
          }}
        />
      )}
      {logs?.length === 0 && (
        <EmptyState title="Nothing is recorded yet">
          A worker records what a source’s tables go through: start one by <code>bemi start</code>.
        </EmptyState>
      )}
      {isUnknown && (
        <EmptyState title="There is no log of this name">
          Choose one of those at the top of the page.
        </EmptyState>
      )}
      {!failure && !data && logs?.length !== 0 && !isUnknown && (
        <Skeleton h={1_200} role="status" aria-label="Loading" />
      )}
      {data && (
        <Stack gap="md" style={{ opacity: isPlaceholderData ? 0.6 : 1 }} aria-busy={isPlaceholderData}>
          <Missing activity={data} />
          {total === 0 ? <NoChanges activity={data} /> : null}
          {total !== 0 && (
            <>
              <Summary activity={data} />
              <ChangesCard activity={data} by={address.by ?? 'operation'} />
              <SimpleGrid cols={{ base: 1, md: 2 }} spacing="md" className="overview-cards">
                <TablesCard activity={data} />
                <ActorsCard activity={data} />
                <DirectSqlCard activity={data} />
                <UnusualCard activity={data} />
              </SimpleGrid>
            </>
          )}
        </Stack>
      )}
    </>
  );
}

/** The period in a sentence. */
function Summary({ activity }: { readonly activity: CountedActivity }) {
  const { since, until, tables, unusual, period, step, zone } = activity;
  const [total, direct] = [totalOf(activity), directOf(activity)];
  const all = logLink({ since, until });
  const nobody = logLink({ since, until, withoutContext: true });
  return (
    <Text size="sm" aria-live="polite">
      <Anchor component={Link} to={all.to as never} search={all.search as never} inherit underline="always">
        {numberText(total)} {total === 1 ? 'change' : 'changes'}
      </Anchor>{' '}
      of {tables.length === 1 ? 'one table' : `${tables.length} tables`} in {period.words}, since{' '}
      <Moment at={since} />;{' '}
      {direct === 0 ? (
        total === 1 ? (
          'with a context.'
        ) : (
          'each with a context.'
        )
      ) : (
        <>
          <Anchor
            component={Link}
            to={nobody.to as never}
            search={nobody.search as never}
            inherit
            underline="always"
          >
            {numberText(direct)} without a context
          </Anchor>{' '}
          ({shareText(direct, total)}).
        </>
      )}
      {unusual.length > 0 && (
        <>
          {' '}
          <Anchor href="#unusual" inherit underline="always">
            Unusual volume
          </Anchor>
          , {unusual.length === 1 ? 'once' : `${unusual.length} times`}.
        </>
      )}
      {step !== 'hour' &&
        zone !== ownZone &&
        ` Days are those of ${zone}: the server does not know ${ownZone}.`}
    </Text>
  );
}

function NoChanges({ activity }: { readonly activity: CountedActivity }) {
  const { words, value } = activity.period;
  const isAll = value === 'all';
  // What is not counted yet may be there.
  if (activity.countedTo !== null || activity.uncountedEntries > 0) return null;
  return (
    <EmptyState title={isAll ? 'No change is recorded yet' : `No changes in ${words}`}>
      {isAll ? (
        <>
          As soon as a table is changed, it is here. Whether all that should be is recorded:{' '}
          <code>bemi coverage</code>.
        </>
      ) : (
        <Group justify="center" gap="xs">
          <span>There may be earlier ones.</span>
          <Anchor
            component={Link}
            to="/overview"
            search={{ period: 'all' } as never}
            inherit
            underline="always"
          >
            Look at all that is recorded
          </Anchor>
        </Group>
      )}
    </EmptyState>
  );
}

/** What the numbers don't have, where it is something. */
function Missing({ activity }: { readonly activity: CountedActivity }) {
  const { countedTo, uncountedEntries } = activity;
  if (countedTo === null && uncountedEntries === 0) return null;
  return (
    <Alert
      color="yellow"
      icon={<IconHourglass aria-hidden />}
      title="Not everything is counted yet"
      role="status"
    >
      {countedTo !== null && (
        <Text size="sm">
          Counted is what was committed up to <Moment at={countedTo} />: the worker counts a little behind
          what it records, and has a backlog. The log itself has everything.
        </Text>
      )}
      {uncountedEntries > 0 && (
        <Text size="sm">
          About {numberText(uncountedEntries)} entries are being counted again, after an upgrade or an
          erasure: they are missing here, or have no names. The log itself has them.
        </Text>
      )}
    </Alert>
  );
}

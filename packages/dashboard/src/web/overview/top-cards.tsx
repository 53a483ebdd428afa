import { directSqlMeaning } from '@bemi-db/trail/facts/direct-sql';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { Card, Code, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { NameActivity } from '../../api/activity.ts';
import { tableName } from '../entries/table-name.ts';
import { logLink } from './log-link.ts';
import { TopList } from './top-list.tsx';
import type { CountedActivity } from './use-activity.ts';

const mostRows = 8;

/** Where most happened. */
export function TablesCard({ activity }: { readonly activity: CountedActivity }) {
  const { since, until, tables } = activity;
  const more = tables.length - mostRows;
  return (
    <TopCard id="top-tables" title="Tables">
      <TopList
        label="Tables"
        total={totalOf(activity)}
        rows={tables.slice(0, mostRows).map((table) => ({
          name: tableName(table.schema, table.table),
          count: table.changes,
          link: logLink({ since, until, table }),
        }))}
      />
      {more > 0 && (
        <Note>{more === 1 ? 'One more table has changes.' : `${more} more tables have changes.`}</Note>
      )}
    </TopCard>
  );
}

/** Who made most. */
export function ActorsCard({ activity }: { readonly activity: CountedActivity }) {
  const { since, until, actors } = activity;
  return (
    <TopCard id="top-actors" title="Who made them">
      {actors.length === 0 ? (
        <Note>
          Nothing says who made these changes. An application says it by its context:{' '}
          <Code>docs/context.md</Code>
        </Note>
      ) : (
        <TopList
          label="Who made them"
          total={totalOf(activity)}
          rows={actors.slice(0, mostRows).map(({ name, changes }) => ({
            name: harmless(name),
            count: changes,
            link: logLink({ since, until, actor: name }),
          }))}
        />
      )}
      {actors.length > mostRows && <Note>Others made fewer each.</Note>}
    </TopCard>
  );
}

/** What nobody said anything of: by table, and as far as it is known, by whom. */
export function DirectSqlCard({ activity }: { readonly activity: CountedActivity }) {
  const { since, until, tables, directUsers, directPrograms } = activity;
  const direct = directOf(activity);
  const without = tables
    .filter(({ withoutContext }) => withoutContext > 0)
    .toSorted((a, b) => b.withoutContext - a.withoutContext);
  const named = (names: readonly NameActivity[]) =>
    names.slice(0, mostRows).map(({ name, withoutContext }) => ({
      name: harmless(name),
      count: withoutContext,
      link: logLink({ since, until, actor: name, withoutContext: true }),
    }));
  return (
    <TopCard id="direct-sql" title="Direct SQL">
      <Note>{directSqlMeaning}</Note>
      {direct === 0 ? (
        <Text size="sm">None in this period: somebody answers for every change.</Text>
      ) : (
        <>
          <TopList
            label="Direct SQL by table"
            total={direct}
            color="var(--bemi-doubt)"
            rows={without.slice(0, mostRows).map((table) => ({
              name: tableName(table.schema, table.table),
              count: table.withoutContext,
              link: logLink({ since, until, table, withoutContext: true }),
            }))}
          />
          {directUsers.length === 0 ? (
            <Note>
              Whose they are, a trigger in the source can tell: <Code>bemi migration:create --actor</Code>
            </Note>
          ) : (
            <>
              <Title order={3} size="h6">
                By database user
              </Title>
              <TopList
                label="Direct SQL by database user"
                total={direct}
                color="var(--bemi-doubt)"
                rows={named(directUsers)}
              />
            </>
          )}
          {directPrograms.length > 0 && (
            <>
              <Title order={3} size="h6">
                By program
              </Title>
              <TopList
                label="Direct SQL by program"
                total={direct}
                color="var(--bemi-doubt)"
                rows={named(directPrograms)}
              />
            </>
          )}
        </>
      )}
    </TopCard>
  );
}

export function totalOf({ tables }: CountedActivity): number {
  return tables.reduce((sum, { changes }) => sum + changes, 0);
}

export function directOf({ tables }: CountedActivity): number {
  return tables.reduce((sum, { withoutContext }) => sum + withoutContext, 0);
}

function TopCard({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <Card withBorder component="section" aria-labelledby={id}>
      <Stack gap="xs">
        <Title order={2} size="h4" id={id}>
          {title}
        </Title>
        {children}
      </Stack>
    </Card>
  );
}

function Note({ children }: { readonly children: ReactNode }) {
  return (
    <Text size="sm" c="dimmed">
      {children}
    </Text>
  );
}

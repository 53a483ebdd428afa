import { Anchor, Card, List, Stack, Text, Title } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { UnusualHour } from '../../api/activity.ts';
import { numberText } from '../elements/chart/chart-series.ts';
import { Moment } from '../elements/moment.tsx';
import { tableName } from '../entries/table-name.ts';
import { logLink } from './log-link.ts';
import type { CountedActivity } from './use-activity.ts';

const hourMs = 3_600_000;

/** Hours with far more changes than such hours have, each in a sentence. */
export function UnusualCard({ activity }: { readonly activity: CountedActivity }) {
  const { unusual } = activity;
  return (
    <Card withBorder component="section" aria-labelledby="unusual">
      <Stack gap="xs">
        <Title order={2} size="h4" id="unusual">
          Unusual volume
        </Title>
        <Text size="sm" c="dimmed">
          Hours of the last 30 days of this period with far more changes of a kind than the same hour had on
          the days before.
        </Text>
        {unusual.length === 0 ? (
          <Text size="sm">None.</Text>
        ) : (
          <List size="sm" listStyleType="none" spacing={6} aria-label="Unusual volume">
            {unusual.map((hour) => (
              <List.Item key={`${hour.hour} ${hour.schema}.${hour.table} ${hour.operation}`}>
                <Sentence {...hour} />
              </List.Item>
            ))}
          </List>
        )}
      </Stack>
    </Card>
  );
}

/** `public.Patient DELETE: 412 in the hour from 22 Nov 2026, 14:00, usually 3`. */
function Sentence({ schema, table, operation, hour, changes, usual }: UnusualHour) {
  const until = new Date(Date.parse(hour) + hourMs).toISOString();
  const link = logLink({ since: hour, until, table: { schema, table }, operation });
  return (
    <>
      <Anchor
        component={Link}
        to={link.to as never}
        search={link.search as never}
        inherit
        underline="always"
        style={{ overflowWrap: 'anywhere' }}
      >
        {tableName(schema, table)} {operation}
      </Anchor>
      : <strong className="tabular">{numberText(changes)}</strong> in the hour from <Moment at={hour} />,
      usually <span className="tabular">{usualText(usual)}</span>
    </>
  );
}

function usualText(usual: number): string {
  return usual === 0 ? 'none' : usual.toLocaleString(undefined, { maximumFractionDigits: 1 });
}

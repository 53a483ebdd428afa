import { bytesText } from '@bemi-db/source/bytes-text';
import { SimpleGrid, Stack, Text, Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { HealthNow, HealthSample, LogHealth } from '../../api/health.ts';
import { Moment } from '../elements/moment.tsx';
import { durationText } from './health-words.ts';

const touchToo = { hover: true, focus: true, touch: true };

interface HealthFiguresProps {
  readonly now: HealthNow;
  readonly lastMinute: LogHealth['lastMinute'];
}

/** What was seen last, in numbers. */
export function HealthFigures({ now, lastMinute }: HealthFiguresProps) {
  return (
    <div>
      <SimpleGrid cols={{ base: 2, md: 4 }} spacing="md" component="dl" m={0}>
        <Figure name="Not recorded yet" note={lagNote(now)}>
          <Bytes bytes={now.lagBytes} />
        </Figure>
        <Figure name="WAL retained" note={limitNote(now)}>
          <Bytes bytes={now.retainedBytes} />
        </Figure>
        <Figure
          name="Changes a minute"
          note={
            lastMinute
              ? `in ${transactionsText(rateOf(lastMinute.transactions, lastMinute))}`
              : 'known in a minute'
          }
        >
          {lastMinute ? rateOf(lastMinute.changes, lastMinute).toLocaleString() : '–'}
        </Figure>
        <Figure name="Audit database" note={lastMinute ? writingNote(lastMinute) : 'in all'}>
          <Bytes bytes={now.databaseBytes} />
        </Figure>
      </SimpleGrid>
      <Text size="xs" c="dimmed" mt={4}>
        As of <Moment at={now.at} isShort />
      </Text>
    </div>
  );
}

function Figure({
  name,
  note,
  children,
}: {
  readonly name: string;
  readonly note: string;
  readonly children: ReactNode;
}) {
  return (
    <Stack gap={0}>
      <Text component="dt" size="sm" c="dimmed">
        {name}
      </Text>
      <Text component="dd" m={0} size="lg" fw={600} className="tabular">
        {children}
        <Text span size="xs" c="dimmed" display="block" fw={400}>
          {note}
        </Text>
      </Text>
    </Stack>
  );
}

/** A size for people; the exact one is at hand. */
function Bytes({ bytes }: { readonly bytes: string | null }) {
  if (bytes === null) return '–';
  return (
    <Tooltip label={`${BigInt(bytes).toLocaleString()} bytes`} events={touchToo}>
      <span>{bytesText(Number(bytes))}</span>
    </Tooltip>
  );
}

function lagNote({ lagBytes, lagSeconds }: HealthNow): string {
  if (lagBytes === null) return 'nobody could look at the slot';
  return lagSeconds === null || lagSeconds < 1
    ? 'of the source’s WAL'
    : `the oldest for ${durationText(lagSeconds)}`;
}

function limitNote({ safeBytes }: HealthNow): string {
  if (safeBytes === null) return 'by the source, for the slot';
  return `${bytesText(Math.max(Number(safeBytes), 0))} until its limit`;
}

/** What a transaction in the audit database takes: more and more where that database is slow. */
function writingNote({ auditTransactions, auditSeconds }: HealthSample): string {
  const count = Number(auditTransactions);
  if (count === 0) return 'nothing was written';
  return `${Math.max(Math.round((1_000 * auditSeconds) / count), 1)} ms for a write`;
}

/** In a minute. */
function rateOf(count: string, { seconds }: NonNullable<LogHealth['lastMinute']>): number {
  return Math.round((60 * Number(count)) / Math.max(seconds, 1));
}

function transactionsText(count: number): string {
  return count === 1 ? 'one transaction' : `${count.toLocaleString()} transactions`;
}

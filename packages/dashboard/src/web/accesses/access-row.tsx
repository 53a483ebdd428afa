import type { RecordedAccess } from '@bemi-db/trail/access/recorded-access';
import { accessFacts } from '@bemi-db/trail/facts/access-facts';
import { Group, Text } from '@mantine/core';
import { Moment } from '../elements/moment.tsx';

const moment = (iso: string): string => new Date(iso).toLocaleString();

/** `ada@clinic.example viewed Patient 42 in clinic: 12 entries`, and whence. */
export function AccessRow({ access }: { readonly access: RecordedAccess }) {
  const at = access.at ?? access.recordedAt;
  const { who, verb, object, asked, shown, place, role } = accessFacts(access, { moment });
  const aside = [place, access.address, role, access.by.host].filter((text) => text !== undefined);
  return (
    <Group
      component="li"
      gap="sm"
      px="md"
      py={8}
      wrap="wrap"
      style={{ listStyle: 'none', borderBottom: '1px solid var(--mantine-color-default-border)' }}
    >
      {at !== undefined && (
        <Text size="sm" c="dimmed" component="span">
          <Moment at={at} />
        </Text>
      )}
      <Text size="sm" component="span" flex="1 1 320px" style={{ overflowWrap: 'anywhere' }}>
        {access.isErased ? (
          'Somebody looked at the trail: who and at what was erased'
        ) : (
          <>
            <Text span inherit fw={600}>
              {who}
            </Text>{' '}
            {verb} {object}
            {asked}
            {shown !== undefined && `: ${shown}`}
          </>
        )}
      </Text>
      <Text size="xs" c="dimmed" component="span">
        {aside.join(' · ')}
      </Text>
      {access.entry === undefined && (
        <Text size="xs" c="var(--bemi-doubt)" component="span">
          not recorded yet
        </Text>
      )}
    </Group>
  );
}

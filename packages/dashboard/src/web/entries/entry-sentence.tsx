import { Text } from '@mantine/core';
import type { ChangeEntry, Entry } from '../../api/entry.ts';
import { Moment } from '../elements/moment.tsx';
import { entryFacts } from './entry-facts.ts';

const verbs = { INSERT: 'created', UPDATE: 'updated', DELETE: 'deleted', TRUNCATE: 'truncated' } as const;
const colors = { INSERT: 'created', UPDATE: 'updated', DELETE: 'deleted', TRUNCATE: 'deleted' } as const;

/** `10:30:00 anna updated Patient 42 · rounds · /patients/42` */
export function EntrySentence({ entry }: { readonly entry: Entry }) {
  if (entry.kind === 'ddl')
    return (
      <>
        <Moment at={entry.timestamp} isShort /> DDL
      </>
    );
  const { who, why, endpoint } = entryFacts(entry);
  return (
    <>
      <Moment at={entry.timestamp} isShort />{' '}
      <Text span fw={600}>
        {who}
      </Text>{' '}
      <Text span c={`var(--bemi-${colors[entry.operation]})`}>
        {verbs[entry.operation]}
      </Text>{' '}
      {tableText(entry)} {entry.primaryKey}{' '}
      <Text span c="dimmed">
        {[why, endpoint].filter((fact) => fact !== undefined).join(' · ')}
      </Text>
    </>
  );
}

/** `Patient`, or `sales.Order` outside of `public`. */
export function tableText({ schema, table }: Pick<ChangeEntry, 'schema' | 'table'>): string {
  return schema === 'public' ? table : `${schema}.${table}`;
}

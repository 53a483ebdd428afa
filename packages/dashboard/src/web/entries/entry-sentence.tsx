import { shortened } from '@bemi-db/trail/facts/harmless-text';
import { keyText, tableText } from '@bemi-db/trail/facts/key-text';
import { Text } from '@mantine/core';
import { IconCirclePlus, IconCircleX, IconEraser, IconPencil, IconSchema } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ChangeEntry, DdlEntry, Entry } from '../../api/entry.ts';
import { changedText } from './changed-text.ts';
import { ddlOf, entryFacts } from './entry-facts.ts';
import { RecordLink } from './record-link.tsx';

const kinds = {
  INSERT: { verb: 'created', color: 'created', Icon: IconCirclePlus },
  UPDATE: { verb: 'updated', color: 'updated', Icon: IconPencil },
  DELETE: { verb: 'deleted', color: 'deleted', Icon: IconCircleX },
  TRUNCATE: { verb: 'truncated', color: 'deleted', Icon: IconEraser },
} as const;
/** A longer piece of a sentence is cut; opening the entry shows it whole. */
const longestPiece = 80;
/** So many objects of one DDL are named. */
const namedObjects = 3;

interface EntrySentenceProps {
  readonly entry: Entry;
  readonly log: string;
  /** Leave out the reason and the endpoint, where they are said of all around it. */
  readonly isShort?: boolean;
}

/** “anna (PHYSICIAN) updated Patient 42 — firstName, status · admission · /patients/42” */
export function EntrySentence({ entry, log, isShort = false }: EntrySentenceProps) {
  const { who, knownBy, role, why, endpoint, notes } = entryFacts(entry);
  const aside = isShort ? [] : [why, endpoint].filter((fact) => fact !== undefined);
  const details = entry.kind === 'change' ? changedText(entry) : undefined;
  return (
    <>
      {entry.kind === 'change' ? <OperationIcon operation={entry.operation} /> : <DdlIcon />}{' '}
      <Text span inherit fw={600} {...(knownBy === 'context' ? {} : { c: 'var(--bemi-doubt)' })}>
        {shortened(who, longestPiece)}
      </Text>
      {role !== undefined && ` (${shortened(role, longestPiece)})`}{' '}
      {entry.kind === 'change' ? <ChangeWords entry={entry} log={log} /> : <DdlWords entry={entry} />}
      {details !== undefined && <> — {details}</>}
      {aside.length > 0 && (
        <Text span inherit c="dimmed">
          {aside.map((fact) => ` · ${shortened(fact, longestPiece)}`).join('')}
        </Text>
      )}
      {entry.authenticity === 'authentic' && (
        <Text span c="var(--bemi-created)" size="xs">
          {' '}
          · authentic
        </Text>
      )}
      {notes.length > 0 && (
        <Text span display="block" size="xs" c="var(--bemi-doubt)">
          {notes.join('; ')}
        </Text>
      )}
    </>
  );
}

function ChangeWords({ entry, log }: { readonly entry: ChangeEntry; readonly log: string }) {
  const { verb, color } = kinds[entry.operation];
  return (
    <>
      <Verb color={color}>{verb}</Verb> {tableText(entry)}
      {entry.primaryKey !== null && (
        <>
          {' '}
          <RecordLink log={log} schema={entry.schema} table={entry.table} primaryKey={entry.primaryKey}>
            {shortened(keyText(entry.primaryKey), longestPiece)}
          </RecordLink>
        </>
      )}
    </>
  );
}

function DdlWords({ entry }: { readonly entry: DdlEntry }) {
  const facts = ddlOf(entry);
  if (!facts) return entry.erased ? 'did something to tables' : 'changed something';
  const names = facts.objects
    .slice(0, namedObjects)
    .map(({ kind, name }) => `${shortened(kind, longestPiece)} ${shortened(name, longestPiece)}`);
  const more = facts.objects.length - names.length;
  return (
    <>
      <Verb color={{ made: 'created', altered: 'ddl', gone: 'deleted' }[facts.tone]}>{facts.verb}</Verb>{' '}
      {names.length === 0 ? 'nothing that it names' : names.join(', ')}
      {more > 0 && ` and ${more} more`}
    </>
  );
}

function Verb({ color, children }: { readonly color: string; readonly children: ReactNode }) {
  return (
    <Text span inherit fw={500} c={`var(--bemi-${color})`}>
      {children}
    </Text>
  );
}

export function OperationIcon({ operation }: { readonly operation: ChangeEntry['operation'] }) {
  const { color, Icon } = kinds[operation];
  return <Icon size={16} aria-hidden className="entry-icon" color={`var(--bemi-${color})`} />;
}

function DdlIcon() {
  return <IconSchema size={16} aria-hidden className="entry-icon" color="var(--bemi-ddl)" />;
}

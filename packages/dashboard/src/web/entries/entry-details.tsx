import { authenticityMeanings } from '@bemi-db/trail/facts/change-notes';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { jsonMembers, plainText } from '@bemi-db/trail/facts/json-members';
import { keyText } from '@bemi-db/trail/facts/key-text';
import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Entry } from '../../api/entry.ts';
import { CopyEntry } from './copy-entries.tsx';
import { ddlOf, entryFacts } from './entry-facts.ts';
import { EntryTimes } from './entry-times.tsx';
import { Fact } from './fact.tsx';
import { FilterBy } from './filter-by.tsx';
import { isStructure } from './json-text.ts';
import { RecordLink } from './record-link.tsx';
import { RowDiffTable } from './row-diff-table.tsx';
import { tableName } from './table-name.ts';
import { ValueView } from './value-view.tsx';

/** Everything that the log says of an entry. */
export function EntryDetails({ entry, log }: { readonly entry: Entry; readonly log: string }) {
  const statement = entry.kind === 'ddl' ? ddlOf(entry)?.statement : undefined;
  return (
    <div className="entry-details">
      {entry.kind === 'change' && <RowDiffTable entry={entry} />}
      {statement !== undefined && (
        <pre className="statement">{statement.split('\n').map(harmless).join('\n')}</pre>
      )}
      <div className="fact-columns">
        <Said entry={entry} />
        <section aria-label="Where it stands in the log">
          <Heading>Entry</Heading>
          <dl className="facts">
            {entry.kind === 'change' && <RecordFacts entry={entry} log={log} />}
            <EntryTimes entry={entry} log={log} />
            {entry.kind === 'ddl' && entry.transaction === null && entry.transactionId !== null && (
              <Fact name="Transaction id">
                {entry.transactionId}
                <FilterBy
                  name="transactionId"
                  value={entry.transactionId}
                  label={`transaction id ${entry.transactionId}`}
                />
              </Fact>
            )}
            {entry.position !== null && <Fact name="LSN">{entry.position}</Fact>}
            <Fact name="Sequence">{entry.sequence}</Fact>
          </dl>
        </section>
      </div>
      <CopyEntry entry={entry} log={log} />
    </div>
  );
}

function RecordFacts({ entry, log }: { readonly entry: Entry & { kind: 'change' }; readonly log: string }) {
  const table = tableName(entry.schema, entry.table);
  return (
    <>
      <Fact name="Table">
        {harmless(`${entry.schema}.${entry.table}`)}
        <FilterBy name="table" value={table} label={`changes of ${table}`} />
      </Fact>
      {entry.primaryKey !== null && (
        <Fact name="Record">
          <RecordLink log={log} schema={entry.schema} table={entry.table} primaryKey={entry.primaryKey}>
            {keyText(entry.primaryKey)}
          </RecordLink>
          <FilterBy
            name="primaryKey"
            value={entry.primaryKey}
            label={`the key ${keyText(entry.primaryKey)}`}
          />
        </Fact>
      )}
    </>
  );
}

/** What the application said, and what the database did. */
function Said({ entry }: { readonly entry: Entry }) {
  const { actor, knownBy } = entryFacts(entry);
  const members = entry.context === null ? [] : jsonMembers(entry.context);
  const user = entry.actor === null || entry.actor === undefined ? [] : usersOf(entry.actor);
  return (
    <section aria-label="Context">
      <Heading>Context</Heading>
      <dl className="facts">
        {members.map(({ name, value }) => (
          <Fact key={name} name={harmless(name)}>
            <ValueView json={value} />
            {!isStructure(value) && value !== 'null' && (
              <FilterBy
                name="context"
                value={`${name}=${plainText(value)}`}
                label={`${harmless(name)} = ${harmless(plainText(value))}`}
              />
            )}
          </Fact>
        ))}
        {members.length === 0 && (
          <Fact name="Context">
            none: the change did not come by an application that says one
            {knownBy !== 'context' && (
              <FilterBy name="withoutContext" value="true" label="changes without context" />
            )}
          </Fact>
        )}
        {entry.authenticity !== null && (
          <Fact name="Authenticity">
            {entry.authenticity}. {authenticityMeanings[entry.authenticity]}
            <FilterBy
              name="authenticity"
              value={entry.authenticity}
              label={`contexts that are ${entry.authenticity}`}
            />
          </Fact>
        )}
        {user.map(([name, value], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: several messages may have the same members
          <Fact key={`${name} ${index}`} name={name}>
            {harmless(value)}
          </Fact>
        ))}
        {knownBy === 'database' && actor !== undefined && (
          <Fact name="All of this user">
            {harmless(actor)}
            <FilterBy name="actor" value={actor} label={`changes by ${harmless(actor)}`} />
          </Fact>
        )}
      </dl>
    </section>
  );
}

const memberNames: Readonly<Record<string, string>> = {
  session_user: 'Database user',
  role: 'Database role',
  application_name: 'Program',
  client_addr: 'Address',
};

function usersOf(actor: unknown): readonly (readonly [string, string])[] {
  return (Array.isArray(actor) ? (actor as unknown[]) : [actor]).flatMap((each) =>
    typeof each === 'object' && each !== null
      ? Object.entries(each).map(
          ([name, value]) =>
            [
              memberNames[name] ?? harmless(name),
              typeof value === 'string' ? value : JSON.stringify(value),
            ] as const,
        )
      : [],
  );
}

function Heading({ children }: { readonly children: ReactNode }) {
  return (
    <Text component="h2" size="sm" fw={600} m={0} mb={4}>
      {children}
    </Text>
  );
}

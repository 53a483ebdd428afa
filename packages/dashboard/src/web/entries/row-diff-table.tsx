import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { Button } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { ChangeEntry } from '../../api/entry.ts';
import { FilterBy } from './filter-by.tsx';
import { isStructure } from './json-text.ts';
import { type ColumnDiff, rowDiff } from './row-diff.ts';
import { DiffSide, shownValue, ValueView } from './value-view.tsx';
import { wordDiff } from './word-diff.ts';

/** Column, before, after. What an UPDATE left alone is folded. */
export function RowDiffTable({ entry }: { readonly entry: ChangeEntry }) {
  const columns = useMemo(() => rowDiff(entry), [entry]);
  const [isUnfolded, setIsUnfolded] = useState(false);
  const same = columns.filter(({ isChanged }) => !isChanged);
  const shown = isUnfolded ? columns : columns.filter(({ isChanged }) => isChanged);
  if (columns.length === 0) return null;
  const hasBefore = entry.operation === 'DELETE' || entry.before !== null;
  const hasAfter = entry.operation !== 'DELETE';
  const isKnown = entry.operation !== 'UPDATE' || entry.changed !== null;
  return (
    <>
      {shown.length > 0 && (
        <div className="diff-scroll">
          <table className="diff" aria-label="Columns">
            <thead>
              <tr>
                <th scope="col">Column</th>
                {hasBefore && <th scope="col">Before</th>}
                {hasAfter && <th scope="col">{hasBefore ? 'After' : 'Value'}</th>}
              </tr>
            </thead>
            <tbody>
              {shown.map((column) => (
                <tr
                  key={column.name}
                  data-changed={isKnown && column.isChanged ? true : undefined}
                  data-same={column.isChanged ? undefined : true}
                >
                  <th scope="row">
                    {harmless(column.name)}
                    {entry.changed?.includes(column.name) && (
                      <FilterBy name="changed" value={column.name} label={`changes of ${column.name}`} />
                    )}
                  </th>
                  <Values column={column} hasBefore={hasBefore} hasAfter={hasAfter} />
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {same.length > 0 && (
        <Button
          size="compact-sm"
          variant="subtle"
          mt={4}
          aria-expanded={isUnfolded}
          onClick={() => setIsUnfolded(!isUnfolded)}
        >
          {isUnfolded ? 'Hide' : 'Show'} {same.length} unchanged {same.length === 1 ? 'column' : 'columns'}
        </Button>
      )}
    </>
  );
}

interface ValuesProps {
  readonly column: ColumnDiff;
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

function Values({ column: { before, after, isChanged }, hasBefore, hasAfter }: ValuesProps) {
  const isTwoTexts = isChanged && isText(before) && isText(after);
  const pieces = useMemo(
    () => (isTwoTexts ? wordDiff(shownValue(before!), shownValue(after!)) : undefined),
    [isTwoTexts, before, after],
  );
  if (pieces?.some((piece) => piece.in === 'both' && piece.text.trim() !== ''))
    return (
      <>
        <td className="before" data-label="Before">
          <DiffSide pieces={pieces} side="before" isCode={isStructure(before!)} />
        </td>
        <td className="after" data-label="After">
          <DiffSide pieces={pieces} side="after" isCode={isStructure(after!)} />
        </td>
      </>
    );
  if (!isChanged && hasBefore && hasAfter)
    return (
      <td colSpan={2}>
        <ValueView json={after ?? before} />
      </td>
    );
  return (
    <>
      {hasBefore && (
        <td className="before" data-label="Before">
          <ValueView json={before} />
        </td>
      )}
      {hasAfter && (
        <td className="after" data-label={hasBefore ? 'After' : 'Value'}>
          <ValueView json={after} />
        </td>
      )}
    </>
  );
}

/** What has words: texts and structures. Of two numbers, each is another one as a whole. */
function isText(json: string | undefined): boolean {
  return json !== undefined && json.length > 2 && /^["[{]/.test(json);
}

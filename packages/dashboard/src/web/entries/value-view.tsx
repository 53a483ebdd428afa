import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { plainText } from '@bemi-db/trail/facts/json-members';
import { Button, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { indentedJson, isStructure } from './json-text.ts';
import type { DiffPiece } from './word-diff.ts';

/** More of a value is shown when asked for. */
const longestShown = 800;
/** Shorter JSON stays on its line. */
const longestLine = 50;

/** What a value looks like on the page: a text as it is, lines kept; JSON with a member a line; numbers digit by digit. */
export function shownValue(json: string): string {
  if (!isStructure(json)) return harmlessLines(plainText(json));
  return harmlessLines(json.length <= longestLine ? json : indentedJson(json));
}

function harmlessLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

/** A value of a row or a context. `undefined`: the log doesn't have it. */
export function ValueView({ json }: { readonly json: string | undefined }) {
  if (json === undefined) return <Aside>not in the log</Aside>;
  if (json === 'null') return <Aside>NULL</Aside>;
  if (json === '""') return <Aside>empty text</Aside>;
  return <Cut pieces={[{ text: shownValue(json), in: 'both' }]} isCode={isStructure(json)} />;
}

/** One side of a changed value, with what is another word on the other side marked. */
export function DiffSide({
  pieces,
  side,
  isCode,
}: {
  readonly pieces: readonly DiffPiece[];
  readonly side: 'before' | 'after';
  readonly isCode: boolean;
}) {
  return <Cut pieces={pieces.filter((piece) => piece.in === 'both' || piece.in === side)} isCode={isCode} />;
}

function Cut({ pieces, isCode }: { readonly pieces: readonly DiffPiece[]; readonly isCode: boolean }) {
  const [isWhole, setIsWhole] = useState(false);
  const length = pieces.reduce((sum, { text }) => sum + text.length, 0);
  const isCut = length > longestShown && !isWhole;
  return (
    <>
      <span className={isCode ? 'value value-code' : 'value'}>
        {marked(isCut ? beginning(pieces) : pieces)}
        {isCut && '…'}
      </span>
      {length > longestShown && (
        <Button
          size="compact-xs"
          variant="subtle"
          mt={4}
          display="block"
          onClick={() => setIsWhole(!isWhole)}
        >
          {isWhole ? 'Show less' : `Show all ${length.toLocaleString()} characters`}
        </Button>
      )}
    </>
  );
}

/** Of a long value, the part where it begins to differ. */
function beginning(pieces: readonly DiffPiece[]): DiffPiece[] {
  const list: DiffPiece[] = [];
  let left = longestShown;
  const [first] = pieces;
  const lead = longestShown / 4;
  const isFar = pieces.length > 1 && first?.in === 'both' && first.text.length > longestShown / 2;
  for (const [index, piece] of pieces.entries()) {
    const text = isFar && index === 0 ? `…${piece.text.slice(-lead)}` : piece.text;
    if (left <= 0) break;
    list.push({ ...piece, text: text.slice(0, left) });
    left -= text.length;
  }
  return list;
}

function marked(pieces: readonly DiffPiece[]): ReactNode {
  let at = 0;
  return pieces.map((piece) => {
    const key = at;
    at += piece.text.length;
    if (piece.in === 'both') return <span key={key}>{piece.text}</span>;
    return piece.in === 'before' ? (
      <del key={key} className="value-gone">
        {piece.text}
      </del>
    ) : (
      <ins key={key} className="value-come">
        {piece.text}
      </ins>
    );
  });
}

function Aside({ children }: { readonly children: ReactNode }) {
  return (
    <Text span inherit fs="italic" c="dimmed">
      {children}
    </Text>
  );
}

import { harmless } from '@bemi-db/trail/facts/harmless-text';
import { plainText } from '@bemi-db/trail/facts/json-members';
import { Anchor, Text } from '@mantine/core';
import { useState } from 'react';

/** So many characters of a value are shown at first. */
const shownCharacters = 200;

/** A column's value, from its JSON text, digit for digit. What could hide or turn the text around it is written out. */
export function ValueText({ json }: { readonly json: string | undefined }) {
  const [isWhole, setWhole] = useState(false);
  if (json === undefined)
    return (
      <Text span inherit c="dimmed">
        —
      </Text>
    );
  if (json === 'null')
    return (
      <Text span inherit c="dimmed" fs="italic">
        NULL
      </Text>
    );
  const text = plainText(json);
  if (text === '')
    return (
      <Text span inherit c="dimmed" fs="italic">
        empty text
      </Text>
    );
  const isCut = !isWhole && text.length > shownCharacters * 1.5;
  return (
    <span style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
      {shownLines(isCut ? text.slice(0, shownCharacters) : text)}
      {isCut && (
        <>
          …{' '}
          <Anchor component="button" type="button" inherit onClick={() => setWhole(true)}>
            all {text.length.toLocaleString()} characters
          </Anchor>
        </>
      )}
    </span>
  );
}

/** Lines stay lines. */
function shownLines(text: string): string {
  return text.split('\n').map(harmless).join('\n');
}

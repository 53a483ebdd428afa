import { Box, Button, Code, Group } from '@mantine/core';
import { useState } from 'react';
import { CopyButton } from '../elements/copy-button.tsx';

const shownLines = 8;

/** Statements to take along, the first lines of them; copied are all. They wrap: nothing has to be scrolled to be read. */
export function SqlBlock({ sql, label }: { readonly sql: readonly string[]; readonly label: string }) {
  const [isWhole, setWhole] = useState(false);
  const text = sql.join('\n');
  const lines = text.split('\n');
  const isLong = lines.length > shownLines + 2;
  return (
    <Box>
      <Code block style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
        {isLong && !isWhole ? `${lines.slice(0, shownLines).join('\n')}\n…` : text}
      </Code>
      <Group gap="xs" mt={6}>
        <CopyButton value={text} label={label} />
        {isLong && (
          <Button
            size="compact-sm"
            variant="subtle"
            aria-expanded={isWhole}
            onClick={() => setWhole(!isWhole)}
          >
            {isWhole ? 'Show less' : `Show all ${lines.length} lines`}
          </Button>
        )}
      </Group>
    </Box>
  );
}

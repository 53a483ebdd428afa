import { Button, Group } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { copyText } from '../elements/copy-text.ts';
import { insertSql } from './insert-sql.ts';

interface CopyStateProps {
  readonly schema: string;
  readonly table: string;
  /** JSON text. */
  readonly row: string;
}

const shownMs = 2_000;

/** Takes the row along: as JSON, digit for digit, or as the SQL that puts it in again. */
export function CopyState({ schema, table, row }: CopyStateProps) {
  const [copied, setCopied] = useState<string>();
  useEffect(() => {
    if (copied === undefined) return undefined;
    const timer = setTimeout(() => setCopied(undefined), shownMs);
    return () => clearTimeout(timer);
  }, [copied]);
  const forms = [
    { name: 'JSON', text: () => row },
    { name: 'INSERT', text: () => insertSql(schema, table, row) },
  ];
  return (
    <Group gap={4}>
      {forms.map(({ name, text }) => (
        <Button
          key={name}
          size="compact-xs"
          variant="default"
          aria-label={`Copy as ${name}`}
          leftSection={
            copied === name ? <IconCheck size={12} aria-hidden /> : <IconCopy size={12} aria-hidden />
          }
          onClick={() => void copyText(text()).then(() => setCopied(name))}
        >
          {name}
        </Button>
      ))}
      <span role="status" className="only-heard">
        {copied === undefined ? '' : `Copied as ${copied}`}
      </span>
    </Group>
  );
}

import { Button, Group } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useState } from 'react';
import type { Entry } from '../../api/entry.ts';
import { useTables } from '../api/use-logs.ts';
import { copyText } from '../elements/copy-text.ts';
import { type CopyForm, copyForms, entryTexts } from './entry-texts.ts';

/** Puts entries on the clipboard, in a form for another program. */
export function useCopyEntries(log: string): (entries: readonly Entry[], form: CopyForm) => Promise<boolean> {
  const tables = useTables(log);
  return async (entries, form) => {
    // Without the keys of the tables, a statement would be by all columns of the row.
    const known = tables.data ?? (await tables.refetch()).data ?? [];
    return await copyText(entryTexts(entries, form, known)).then(
      () => true,
      () => false,
    );
  };
}

interface CopyEntriesProps {
  readonly entries: readonly Entry[];
  readonly log: string;
}

/** A button for each form. */
export function CopyEntries({ entries, log }: CopyEntriesProps) {
  const copy = useCopyEntries(log);
  const [done, setDone] = useState<{ readonly form: CopyForm; readonly isCopied: boolean }>();
  return (
    <Group gap={6} role="group" aria-label="Copy as">
      {copyForms.map(([form, label]) => {
        const isDone = done?.form === form;
        return (
          <Button
            key={form}
            size="compact-sm"
            variant="default"
            leftSection={
              isDone && done.isCopied ? (
                <IconCheck size={14} aria-hidden />
              ) : (
                <IconCopy size={14} aria-hidden />
              )
            }
            onClick={() => void copy(entries, form).then((isCopied) => setDone({ form, isCopied }))}
          >
            {isDone ? (done.isCopied ? `Copied ${label}` : 'The browser refused') : label}
          </Button>
        );
      })}
    </Group>
  );
}

export function CopyEntry({ entry, log }: { readonly entry: Entry; readonly log: string }) {
  return <CopyEntries entries={[entry]} log={log} />;
}

import { Alert, Button, Group, Modal, Progress, Radio, Stack, Text } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { type ExportProgress, exportFile, saveFile } from './export-file.ts';
import type { ExportForm } from './export-progress.ts';
import { apiFilter, isFiltered, type LogsAddress } from './logs-address.ts';

const forms: readonly (readonly [ExportForm, string, string])[] = [
  ['csv', 'CSV', 'a line a change, for spreadsheets'],
  ['jsonl', 'JSON lines', 'an object a line, as the API has them, numbers exact'],
  ['sql', 'SQL', 'statements that make the changes again, in their order'],
];

interface ExportDialogProps {
  readonly log: string;
  readonly address: LogsAddress;
  readonly onClose: () => void;
}

type Export =
  | { readonly state: 'ready' }
  | { readonly state: 'running'; readonly progress: ExportProgress }
  | { readonly state: 'done'; readonly progress: ExportProgress; readonly name: string }
  | { readonly state: 'failed'; readonly error: Error };

/** Everything that is filtered, as a file: not only what the page has loaded. */
export function ExportDialog({ log, address, onClose }: ExportDialogProps) {
  const [form, setForm] = useState<ExportForm>('csv');
  const [made, setMade] = useState<Export>({ state: 'ready' });
  const aborter = useRef<AbortController>(undefined);
  useEffect(() => () => aborter.current?.abort(), []);

  const start = async (): Promise<void> => {
    const mine = new AbortController();
    aborter.current = mine;
    let progress: ExportProgress = { bytes: 0, entries: 0, share: undefined };
    setMade({ state: 'running', progress });
    try {
      const filter = apiFilter(address, new Date());
      const file = await exportFile(
        ...([log, filter, form] as const),
        (next) => {
          progress = next;
          if (!mine.signal.aborted) setMade({ state: 'running', progress });
        },
        mine.signal,
      );
      if (mine.signal.aborted) return;
      saveFile(file);
      setMade({ state: 'done', progress, name: file.name });
    } catch (error) {
      if (!mine.signal.aborted) setMade({ state: 'failed', error: error as Error });
    }
  };
  const cancel = (): void => {
    aborter.current?.abort();
    setMade({ state: 'ready' });
  };
  const close = (): void => {
    cancel();
    onClose();
  };
  const isRunning = made.state === 'running';
  return (
    <Modal opened onClose={close} title="Export" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack>
        <Text size="sm">
          {isFiltered(address)
            ? 'All entries that the filters name, also those that the page has not loaded.'
            : 'All entries of the log. Filter first to take less.'}
        </Text>
        <Radio.Group label="Form" value={form} onChange={(value) => setForm(value as ExportForm)}>
          <Stack gap={6} mt={4}>
            {forms.map(([value, label, description]) => (
              <Radio key={value} value={value} label={label} description={description} disabled={isRunning} />
            ))}
          </Stack>
        </Radio.Group>
        <div role="status">
          {(made.state === 'running' || made.state === 'done') && <Shown made={made} />}
        </div>
        {made.state === 'failed' && (
          <Alert color="red" title="The export broke off">
            {made.error.message}. Nothing was saved.
          </Alert>
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={isRunning ? cancel : close}>
            {isRunning ? 'Cancel' : 'Close'}
          </Button>
          <Button onClick={() => void start()} disabled={isRunning}>
            Export
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}

function Shown({ made }: { readonly made: Extract<Export, { progress: ExportProgress }> }) {
  const { bytes, entries, share } = made.progress;
  const percent = share === undefined ? undefined : Math.floor(share * 100);
  const count = `${entries.toLocaleString()} ${entries === 1 ? 'entry' : 'entries'}, ${sizeText(bytes)}`;
  return (
    <Stack gap={4}>
      <Progress
        value={made.state === 'done' ? 100 : (percent ?? 100)}
        animated={made.state === 'running'}
        aria-label="Progress of the export"
      />
      <Text size="sm" className="tabular">
        {made.state === 'done' ? `Saved ${made.name}: ` : ''}
        {count}
        {made.state === 'running' && percent !== undefined && `, ${percent} % of the log looked through`}
      </Text>
    </Stack>
  );
}

function sizeText(bytes: number): string {
  return bytes < 1_000_000
    ? `${Math.ceil(bytes / 1_000).toLocaleString()} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

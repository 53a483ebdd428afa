import type { EntryFilter } from '../../api/entry-filter.ts';
import type { Problem } from '../../api/problem.ts';
import { queryText, RequestError } from '../api/request.ts';
import { type ExportForm, lineCounter, shareReader } from './export-progress.ts';

export interface ExportProgress {
  readonly bytes: number;
  /** As far as the form's lines tell. */
  readonly entries: number;
  /** Share of the log that was looked through, 0 to 1; `undefined` where the form doesn't tell. */
  readonly share: number | undefined;
}

/** Pieces are put together to files of this size: a browser keeps those on disk, and not in memory. */
const partBytes = 4 * 1024 * 1024;
const progressMs = 150;

/** Everything that a filter names as a file, while it is made. @throws RequestError, or what `signal` aborts with. */
export async function exportFile(
  log: string,
  filter: EntryFilter,
  form: ExportForm,
  onProgress: (progress: ExportProgress) => void,
  signal: AbortSignal,
): Promise<File> {
  const response = await fetch(
    `/api/v1/logs/${encodeURIComponent(log)}/export${queryText({ ...filter, format: form, order: form === 'sql' ? 'oldest-first' : 'newest-first' })}`,
    {
      signal,
    },
  );
  if (!response.ok || !response.body) throw await problemOf(response);
  const share = shareReader(form, response.headers.get('x-bemi-log-size'));
  const count = lineCounter(form);
  const reader = response.body.getReader();
  const files: Blob[] = [];
  let parts: Uint8Array<ArrayBuffer>[] = [];
  let [bytes, waiting, entries, saidAt] = [0, 0, 0, 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    bytes += value.length;
    waiting += value.length;
    entries += count(value);
    if (waiting > partBytes) {
      files.push(new Blob(parts));
      [parts, waiting] = [[], 0];
    }
    if (performance.now() - saidAt > progressMs) {
      saidAt = performance.now();
      onProgress({ bytes, entries, share: share(value) });
    }
  }
  onProgress({ bytes, entries, share: 1 });
  const named = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '')?.[1];
  return new File([...files, ...parts], named ?? `bemi-${log}.${form}`, {
    type: response.headers.get('content-type') ?? 'application/octet-stream',
  });
}

/** Has the browser save a file. */
export function saveFile(file: File): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = file.name;
  link.click();
  // The browser has begun to read it by then.
  window.setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

async function problemOf(response: Response): Promise<RequestError> {
  const { error } = (await response.json().catch(() => ({ error: undefined }))) as Partial<Problem>;
  return new RequestError(
    response.status,
    error?.code ?? 'failed',
    error?.message ?? `The server answered ${response.status}`,
    error?.fix,
  );
}

/** Records until it is told to end, in a process of its own; asked by a message, it answers how much CPU time it has used. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createWorker } from '@bemi-db/worker';

const [source, destination] = process.argv.slice(2);
if (!source || !destination) throw new Error('Usage: recording-worker SOURCE_URL DESTINATION_URL');
const stateDirectory = mkdtempSync(join(tmpdir(), 'bemi-bench-'));
const abort = new AbortController();
process.on('disconnect', () => abort.abort());
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.((user + system) / 1e6);
});
process.send?.('ready'); // what is sent before somebody listens is lost
try {
  await createWorker({ source, destination, stateDirectory }).run({ signal: abort.signal });
} finally {
  rmSync(stateDirectory, { recursive: true });
}

import { parentPort, workerData } from 'node:worker_threads';
import { parseConnectionString, type SecretConnection } from '@bemi-db/source/connection-string';
import { readStep } from '@bemi-db/trail/verify/verify-log';
import { connect } from '@bemi-db/worker/connections';
import type { StepAnswer, StepRequest } from './reading-threads.ts';

// A thread of reading-threads.ts: reads steps of a log, one after the other, until it is ended.

const { url, log } = workerData as { readonly url: string | SecretConnection; readonly log: number };
const port = parentPort!;
const opening = connect(parseConnectionString(url, 'BEMI_DESTINATION_URL'), 'reader');
opening.catch(() => undefined); // told with the first answer

port.on('message', (request: StepRequest) => void answer(request));

async function answer({ from, to }: StepRequest): Promise<void> {
  try {
    const step = await readStep((await opening).client, log, from, to);
    const { records, starts, ends } = step.chunk;
    const given: StepAnswer = { step };
    port.postMessage(
      given,
      [records, starts, ends].map(({ buffer }) => buffer as ArrayBuffer),
    );
  } catch (error) {
    const given: StepAnswer = { error: error instanceof Error ? error : new Error(String(error)) };
    port.postMessage(given);
  }
}

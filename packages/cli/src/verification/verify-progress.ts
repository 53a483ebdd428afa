import { type Progress, progressBar, redrawMs } from '../output/progress-bar.ts';

/** What has been verified so far: a bar on a terminal; of a dashboard, which shows it on a page, messages. */
export function verifyProgress(stream: NodeJS.WriteStream, name: string): Progress {
  return process.send ? sentProgress(process.send.bind(process)) : progressBar(stream, `Verifying ${name}`);
}

/** A message to the process that started this one. */
export interface SentProgress {
  readonly done: number;
  readonly total: number;
}

function sentProgress(send: (message: SentProgress) => unknown): Progress {
  let sentMs = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      const now = performance.now();
      if (now - sentMs < redrawMs) return;
      sentMs = now;
      send({ done, total });
    },
    end: () => undefined,
  };
}

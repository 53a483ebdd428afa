import type { VerifiedPart } from '@bemi-db/trail/verify/verify-log';
import { progressBar, redrawMs } from '../output/progress-bar.ts';

/** What has been verified so far. */
export interface VerifyProgress {
  readonly update: (done: number, total: number, part?: VerifiedPart) => void;
  end(): void;
}

/** A bar for each part on a terminal; of a dashboard, which shows it on a page, messages. */
export function verifyProgress(stream: NodeJS.WriteStream, name: string): VerifyProgress {
  if (process.send) return sentProgress(process.send.bind(process));
  let bar = progressBar(stream, `Verifying ${name}`);
  let drawn: VerifiedPart = 'entries';
  return {
    update(done, total, part = 'entries') {
      if (part !== drawn) bar = progressBar(stream, `Comparing the index of ${name}`);
      drawn = part;
      bar.update(done, total);
    },
    end: () => bar.end(),
  };
}

/** A message to the process that started this one. */
export interface SentProgress {
  readonly part: VerifiedPart;
  readonly done: number;
  readonly total: number;
}

function sentProgress(send: (message: SentProgress) => unknown): VerifyProgress {
  let sentMs = Number.NEGATIVE_INFINITY;
  let sent: VerifiedPart = 'entries';
  return {
    update(done, total, part = 'entries') {
      const now = performance.now();
      if (now - sentMs < redrawMs && part === sent) return;
      sentMs = now;
      sent = part;
      send({ part, done, total });
    },
    end: () => undefined,
  };
}

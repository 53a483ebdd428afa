import type { FoundEntries } from '@bemi-db/trail/query/log-entries';
import { momentText } from '../presentation/moment-text.ts';
import { textStyle } from '../presentation/text-style.ts';

const eraseLine = '\r\u001b[K';

/** Says on a terminal how far a search has looked that takes its time; what is found takes the line's place. */
export function searchProgress(): {
  readonly looked: (page: FoundEntries) => void;
  readonly clear: () => void;
} {
  let isShown = false;
  return {
    looked({ end, lookedBackTo }) {
      if (end !== 'budget' || !process.stderr.isTTY) return;
      const { colors, timeZone } = textStyle(process.stderr);
      const at = lookedBackTo?.at;
      const where = at === undefined ? `entry ${lookedBackTo?.sequence}` : momentText(at, timeZone);
      process.stderr.write(`${eraseLine}${colors.dim(`… looked back to ${where}; Ctrl-C ends it`)}`);
      isShown = true;
    },
    clear() {
      if (!isShown) return;
      process.stderr.write(eraseLine);
      isShown = false;
    },
  };
}

import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';

/** What has been verified so far, on a terminal; elsewhere nothing. */
export interface VerifyProgress {
  readonly update: (done: number, total: number) => void;
  end(): void;
}

const barWidth = 24;
const redrawMs = 100;
const clearLine = '\r\u001b[2K';

export function verifyProgress(stream: NodeJS.WriteStream, name: string): VerifyProgress {
  // Of a dashboard, which shows it on a page.
  if (process.send) return sentProgress(process.send.bind(process));
  if (!stream.isTTY || process.env['TERM'] === 'dumb')
    return { update: () => undefined, end: () => undefined };
  const { colors, columns = 80 } = textStyle(stream);
  const startedMs = performance.now();
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    update(done, total) {
      const now = performance.now();
      if (now - drawnMs < redrawMs) return;
      drawnMs = now;
      const share = total === 0 ? 1 : done / total;
      const filled = Math.round(share * barWidth);
      const bar = `${colors.cyan('█'.repeat(filled))}${colors.dim('░'.repeat(barWidth - filled))}`;
      const perSecond = done / ((now - startedMs) / 1_000);
      const text = ` ${Math.floor(share * 100)}%  ${countText(done)} of ${countText(total)}  ${countText(Math.round(perSecond))}/s  ${remaining((total - done) / perSecond)} left`;
      const label = `Verifying ${name}  `;
      stream.write(
        `${clearLine}${label}${bar}${text}`.slice(0, columns + bar.length - barWidth + clearLine.length),
      );
    },
    end() {
      if (drawnMs > 0) stream.write(clearLine);
    },
  };
}

/** A message to the process that started this one. */
export interface SentProgress {
  readonly done: number;
  readonly total: number;
}

function sentProgress(send: (message: SentProgress) => unknown): VerifyProgress {
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

/** `0:42`, `1:02:03`. */
export function remaining(seconds: number): string {
  if (!Number.isFinite(seconds)) return '–';
  const whole = Math.ceil(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';

/** How far something is that takes long. */
export interface Progress {
  readonly update: (done: number, total: number) => void;
  /** Clears the line. */
  end(): void;
}

const barWidth = 24;
/** Between two times that it is shown. */
export const redrawMs = 100;
const clearLine = '\r\u001b[2K';

/** Whether there is a terminal that a bar can be drawn on. */
export function hasBar(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && process.env['TERM'] !== 'dumb';
}

/** A bar with how much is done, how fast, and how long the rest will take: on a terminal; elsewhere nothing. */
export function progressBar(stream: NodeJS.WriteStream, label: string): Progress {
  if (!hasBar(stream)) return { update: () => undefined, end: () => undefined };
  const { colors, columns } = textStyle(stream);
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
      stream.write(
        `${clearLine}${label}  ${bar}${text}`.slice(
          0,
          (columns || 80) + bar.length - barWidth + clearLine.length,
        ),
      );
    },
    end() {
      if (drawnMs > 0) stream.write(clearLine);
    },
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

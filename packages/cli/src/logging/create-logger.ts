import { type Logger, pino } from 'pino';
import { PinoPretty } from 'pino-pretty';
import type { LogLevel } from '../configuration/settings.ts';
import { textStyle } from '../presentation/text-style.ts';
import { prettyMessage } from './pretty-message.ts';

/**
 * The worker's log on stdout: lines for people on a terminal, JSON elsewhere. Written at once, so that the last line
 * before an exit is not lost.
 */
export function createLogger(level: LogLevel): Logger {
  const style = textStyle(process.stdout);
  if (process.stdout.isTTY) {
    const stream = PinoPretty({
      sync: true,
      colorize: style.colors.isColorSupported,
      translateTime: 'SYS:yyyy-mm-dd HH:MM:ss',
      customPrettifiers: { time: (time) => style.colors.dim(String(time)) },
      hideObject: true,
      ignore: 'pid,hostname',
      messageFormat: (log, messageKey) => prettyMessage(log, messageKey, style),
    });
    return pino({ level, base: null }, stream);
  }
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    pino.destination({ dest: 1, sync: true }),
  );
}

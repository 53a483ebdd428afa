import { usageError } from '../cli-error.ts';

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const;

/**
 * `30m`, `24h`, `7d` from now, in seconds.
 *
 * @throws CliError (exit code 2) for anything else.
 */
export function parseDelay(text: string, flag: string): number {
  const [, count, unit] = /^(\d{1,6})\s*([smhdw])$/i.exec(text.trim()) ?? [];
  const seconds = Number(count) * unitSeconds[(unit ?? 's').toLowerCase() as keyof typeof unitSeconds];
  if (seconds <= 315_360_000) return seconds;
  throw usageError(
    `${flag} ${JSON.stringify(text)} is no length of time`,
    'Write 30m, 24h or 7d; ten years at most.',
  );
}

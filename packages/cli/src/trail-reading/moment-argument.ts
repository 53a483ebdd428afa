import { usageError } from '../cli-error.ts';

const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const agoPattern = /^(\d{1,6})\s*([smhdw])$/i;
// Without a time zone it is meant as the terminal shows it.
const isoPattern =
  /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?\s*(?:Z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * A moment as it is typed: `10m`, `2h`, `3d` ago; or ISO 8601, where a date alone is that day's start, and without a
 * time zone the local one is meant.
 *
 * @throws CliError (exit code 2) for anything else.
 */
export function parseMoment(text: string, flag: string, now: Date): Date {
  const trimmed = text.trim();
  const ago = agoPattern.exec(trimmed);
  if (ago)
    return new Date(now.getTime() - Number(ago[1]) * unitMs[ago[2]!.toLowerCase() as keyof typeof unitMs]);
  if (isoPattern.test(trimmed)) {
    const iso = trimmed.replace(' ', 'T').replace(/\s/g, '');
    // JavaScript takes a date alone for UTC, and a date with a time for local.
    const moment = new Date(iso.length === 10 ? `${iso}T00:00:00` : iso);
    if (!Number.isNaN(moment.getTime())) return moment;
  }
  throw usageError(
    `${flag} ${JSON.stringify(text)} is not a moment`,
    'Write 10m, 2h or 3d for that long ago, or a date such as 2025-12-09, 2025-12-09T10:30, 2025-12-09T10:30:00Z.',
  );
}

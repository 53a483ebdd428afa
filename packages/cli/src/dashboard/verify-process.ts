import { fork } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type VerificationReport, verificationReportSchema } from '@bemi-db/dashboard/api/integrity';
import type { VerifyLog } from '@bemi-db/dashboard/server/verifications';
import { type SecretConnection, urlTextOf } from '@bemi-db/source/connection-string';
import type { SettingName } from '../configuration/settings.ts';
import type { SentProgress } from '../verification/verify-progress.ts';

const program = fileURLToPath(new URL('../../bin/bemi.js', import.meta.url));

/**
 * Verifies by `bemi verify` in a process of its own: it keeps a core busy for minutes, which recording and pages would feel.
 *
 * @param destination - of the audit database, for a process that knows nothing of an embedded one that is at work here.
 * @param settings - that this process has otherwise than by its environment, such as by flags.
 */
export function verifyInProcess(
  destination: string | SecretConnection,
  settings: Partial<Record<SettingName, string>> = {},
): VerifyLog {
  return async (name, { onProgress, signal }) => {
    const child = fork(program, ['verify', '--json', '--log', name], {
      // Standard output has the report; errors, as JSON, are on the other.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: {
        ...process.env,
        ...(typeof destination === 'string' ? { BEMI_DESTINATION_URL: urlTextOf(destination) } : {}),
        ...settings,
        BEMI_LOG_LEVEL: 'error',
      },
      execArgv: [],
      signal,
    });
    child.on('message', ({ done, total, part }: SentProgress) => onProgress(done, total, part));
    const ended = new Promise<void>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve());
    });
    const [printed, said] = await Promise.all([text(child.stdout!), text(child.stderr!), ended]);
    return reportOf(printed) ?? failed(said);
  };
}

function reportOf(printed: string): VerificationReport | undefined {
  try {
    return verificationReportSchema.parse(JSON.parse(printed));
  } catch {
    return undefined;
  }
}

function failed(said: string): never {
  let message = 'bemi verify ended without a report';
  try {
    const { error } = JSON.parse(said) as { error?: { message?: unknown } };
    if (typeof error?.message === 'string') message = error.message;
  } catch {
    // it was ended before it could say why
  }
  throw new Error(message);
}

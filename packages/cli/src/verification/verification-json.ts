import { version } from '../version.ts';
import { reportJson } from './report-json.ts';
import type { Verification } from './verification.ts';

/** What `bemi verify --json` prints: the report (docs/spec/report.md), and how long it took. */
export function verificationJson(verification: Verification): object {
  const { elapsedMs, report } = verification;
  return {
    ...reportJson(verification, version()),
    unprovenTail: report.size - report.provenSize,
    elapsedMs: Math.round(elapsedMs),
  };
}

import { writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { sameBytes } from '@bemi-db/proof/hash';
import { sha256Into } from '@bemi-db/proof/node-crypto';
import { signReport } from '@bemi-db/proof/report-note';
import { verifierKey } from '@bemi-db/proof/verifier-key';
import { loadSigningKey } from '@bemi-db/worker/signing/signing-key';
import { CliError } from '../cli-error.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { printNote } from '../output/print.ts';
import { version } from '../version.ts';
import { reportJson } from './report-json.ts';
import { reportMarkdown } from './report-markdown.ts';
import { stateDirectoryOf } from './run-verify.ts';
import type { Verification } from './verification.ts';

/**
 * Writes the statement for an auditor: FILE.json, FILE.md, and FILE.note, which signs both (docs/spec/report.md). Without
 * the log's key at hand there is no note, and that is said.
 */
export async function writeReport(
  verification: Verification,
  file: string,
  configuration: Configuration,
): Promise<void> {
  const base = file.replace(/\.(json|md|note)$/, '');
  const json = reportJson(verification, version());
  const documents = [
    { name: `${basename(base)}.json`, bytes: Buffer.from(`${JSON.stringify(json, null, 2)}\n`) },
    { name: `${basename(base)}.md`, bytes: Buffer.from(reportMarkdown(json)) },
  ];
  const note = signed(verification, documents, configuration);
  try {
    writeFileSync(`${base}.json`, documents[0]!.bytes);
    writeFileSync(`${base}.md`, documents[1]!.bytes);
    if (note !== undefined) writeFileSync(`${base}.note`, note);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new CliError(
      2,
      'report-file',
      `The report can't be written to ${base}.json (${code})`,
      'Name another path.',
      { cause },
    );
  }
  printNote(
    note === undefined
      ? `Wrote ${base}.json and ${base}.md, not signed: the key that signs this log is not here.\n`
      : `Wrote ${base}.json and ${base}.md, signed by ${base}.note. To check: bemi-verify ${base}.note --key KEY\n`,
  );
}

function signed(
  { keys, origin }: Verification,
  documents: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  { signingKey, ...configuration }: Configuration,
): string | undefined {
  const directory = stateDirectoryOf({ signingKey, ...configuration });
  const key = loadSigningKey({ directory, ...(signingKey === undefined ? {} : { key: signingKey }) });
  const inForce = keys.at(-1);
  if (key === undefined || inForce === undefined || !sameBytes(key.publicKey, inForce.publicKey))
    return undefined;
  return signReport(sha256Into, documents, verifierKey(sha256Into, origin, key.publicKey), key.sign);
}

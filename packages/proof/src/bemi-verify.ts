import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { encodeBase64 } from './base64.ts';
import { sha256Into, verifyEd25519 } from './node-crypto.ts';
import { printable, proofFacts, proofHeadline, reportFacts } from './proof-facts.ts';
import { isReportNote, type ReportResult, verifyReport } from './report-note.ts';
import { formatTime } from './time.ts';
import { ED25519, formatVerifierKey, parseVerifierKey, type VerifierKey } from './verifier-key.ts';
import { type EntryProofResult, verifyEntryProof } from './verify-entry-proof.ts';

const HELP = `Usage: bemi-verify FILE... --key KEY [--key KEY] [--checkpoint FILE] [--json]

Verifies proofs that 'bemi proof SEQUENCE' made, offline: that each is of an entry of a log that
the key signed, unaltered and in its place. Of a report by 'bemi verify --report', give the .note:
its documents are read from beside it.

  --key KEY          a verifier key of the log (bemi/<log id>/<generation>+<hash>+<base64>), or a file
                     with one on each line; 'bemi keys signing show' prints it. Get it from somebody you trust,
                     not along with the proof. Keys of witnesses can be given too.
  --checkpoint FILE  a checkpoint of the log that you kept: the proof must be in exactly that tree
  --json             a line of JSON for each file
  --help             this text

Examples:
  bemi-verify entry-4711.json --key log.vkey
  bemi-verify proofs/*.json --key log.vkey --key witness.vkey
  bemi-verify 2026-q4.note --key log.vkey
  bemi-verify entry-4711.json --key log.vkey --checkpoint 2026-01-31.checkpoint

Exit code: 0 all proofs are good, 1 one is not, 2 wrong usage.
Format: docs/spec/proof.md of https://github.com/BemiHQ/bemi
`;

class UsageError extends Error {}

interface Arguments {
  readonly files: readonly string[];
  readonly keys: readonly VerifierKey[];
  readonly checkpoint: string | undefined;
  readonly json: boolean;
}

function readArguments(): Arguments | undefined {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { values, positionals: files } = parsed;
  if (values.help) return undefined;
  if (files.length === 0)
    throw new UsageError('No proof is given. Make one by: bemi proof SEQUENCE > entry.json');
  const keys = (values.key ?? []).flatMap(readKeys);
  if (!keys.some(({ type }) => type === ED25519))
    throw new UsageError(
      "The log's key is not given: --key KEY. 'bemi keys signing show' prints it where the worker runs.",
    );
  const checkpoint = values.checkpoint === undefined ? undefined : readText(values.checkpoint);
  return { files, keys, checkpoint, json: values.json ?? false };
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      key: { type: 'string', multiple: true },
      checkpoint: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function readKeys(keyOrFile: string): VerifierKey[] {
  const key = parseVerifierKey(sha256Into, keyOrFile);
  if (key !== undefined) return [key];
  // A key has plus signs between its parts: one that is mistyped is not looked for among the files.
  if (/^bemi\/.*\+.*\+/.test(keyOrFile))
    throw new UsageError('The verifier key is not complete, or a character of it is wrong. Copy it again.');
  const lines = readText(keyOrFile).split(/\r?\n/);
  return lines.flatMap((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const read = parseVerifierKey(sha256Into, line.trim());
    if (read === undefined)
      throw new UsageError(
        `Line ${i + 1} of ${keyOrFile} is no verifier key (name+hash+base64). Copy it again.`,
      );
    return [read];
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'ENOENT'
        ? `There is no file ${file}. Check the path.`
        : `${file} can't be read: ${code ?? error}.`,
    );
  }
}

async function main(): Promise<number> {
  const given = readArguments();
  if (given === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const { files, keys, checkpoint, json } = given;
  const texts = files.map((file) => [file, readText(file)] as const);
  let allValid = true;
  for (const [file, text] of texts) {
    if (isReportNote(text)) {
      const result = await verifyReportFile(file, text, keys);
      allValid &&= result.valid;
      process.stdout.write(
        json ? `${JSON.stringify(reportJson(file, result))}\n` : reportOfReport(file, result),
      );
      continue;
    }
    const result = await verifyEntryProof(text, {
      hash: sha256Into,
      verify: verifyEd25519,
      keys,
      ...(checkpoint === undefined ? {} : { checkpoint }),
    });
    allValid &&= result.valid;
    process.stdout.write(json ? `${JSON.stringify(toJson(file, result))}\n` : report(file, result));
  }
  return allValid ? 0 : 1;
}

function verifyReportFile(file: string, text: string, keys: readonly VerifierKey[]): Promise<ReportResult> {
  const read = (name: string): Uint8Array | undefined => {
    try {
      return readFileSync(join(dirname(file), name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new UsageError(`${join(dirname(file), name)} can't be read.`);
    }
  };
  return verifyReport(text, { hash: sha256Into, verify: verifyEd25519, keys, read });
}

function reportOfReport(file: string, result: ReportResult): string {
  if (!result.valid)
    return `✗ ${printable(file)}: not proven (${result.code})\n\n  ${printable(result.message)}\n\n`;
  const lines = reportFacts(result).map(([name, value]) => `  ${name.padEnd(13)} ${printable(value)}\n`);
  return `✓ ${printable(file)}: report, signed by the log's key\n\n${lines.join('')}\n`;
}

function reportJson(file: string, result: ReportResult): unknown {
  if (!result.valid) return { file, ...result };
  const { valid, note, key } = result;
  return { file, valid, ...note.origin, documents: note.documents, key: formatVerifierKey(key) };
}

function report(file: string, result: EntryProofResult): string {
  if (!result.valid)
    return `✗ ${printable(file)}: not proven (${result.code})\n\n  ${printable(result.message)}\n\n`;
  const lines = proofFacts(result).map(([name, value]) => `  ${name.padEnd(13)} ${printable(value)}\n`);
  return `✓ ${printable(file)}: ${printable(proofHeadline(result.entry))}, proven\n\n${lines.join('')}\n`;
}

function toJson(file: string, result: EntryProofResult): unknown {
  if (!result.valid) return { file, ...result };
  const { entry, signatures, root, ...rest } = result;
  return {
    file,
    ...rest,
    root: encodeBase64(root),
    entry: jsonOf(entry),
    signatures: signatures.map(({ key, timestamp }) => ({
      key: formatVerifierKey(key),
      ...(timestamp === undefined ? {} : { timestamp: Number(timestamp) }),
    })),
  };
}

/** Times as RFC 3339 texts; other numbers that JSON would round as texts. */
function jsonOf(value: object): unknown {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      if (typeof member === 'bigint') return [name, TIMES.has(name) ? formatTime(member) : String(member)];
      return [name, typeof member === 'object' && member !== null ? jsonOf(member) : member];
    }),
  );
}

const TIMES: ReadonlySet<string> = new Set(['at', 'committedAt', 'recordedAt']);

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`bemi-verify: ${printable(error.message)}\nSee bemi-verify --help.\n`);
  process.exitCode = 2;
}

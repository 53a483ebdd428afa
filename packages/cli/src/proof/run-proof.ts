import { writeFileSync } from 'node:fs';
import { sha256Into, verifyEd25519 } from '@bemi-db/proof/node-crypto';
import { verifierKey } from '@bemi-db/proof/verifier-key';
import { verifyEntryProof } from '@bemi-db/proof/verify-entry-proof';
import {
  NoProofError,
  type NoProofReason,
  type StoredEntryProof,
  storedEntryProof,
} from '@bemi-db/trail/proof/stored-entry-proof';
import { pastKeys } from '@bemi-db/trail/tree/key-events';
import type pg from 'pg';
import { tellAccess } from '../accesses/told-access.ts';
import { CliError, usageError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { print, printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { chooseLog, type LogChoice } from '../trail-reading/choose-log.ts';
import { givenCheckpoints } from '../verification/kept-checkpoints.ts';
import { originOf } from '../verification/verification.ts';

/** The flags of `bemi proof`. */
export interface ProofFlags extends LogChoice {
  readonly out?: string;
  readonly checkpoint?: string;
  readonly embedded?: true;
}

/** Writes the proof of an entry, once it verifies. */
export async function runProof(sequenceText: string, flags: ProofFlags): Promise<void> {
  const sequence = parseSequence(sequenceText);
  const configuration = loadConfiguration();
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async ({ client }) => {
    const log = await chooseLog(client, configuration, flags);
    if (!log)
      throw new CliError(1, 'no-entry', 'The audit database has no log yet', 'Start a worker: bemi worker');
    const origin = await originOf(client, log.log);
    const kept =
      flags.checkpoint === undefined
        ? undefined
        : await givenCheckpoints(flags.checkpoint, { name: log.name, origin });
    const newest = kept && [...kept].sort((a, b) => a.checkpoint.size - b.checkpoint.size).at(-1)!;
    const proof = await makeProof(client, log.log, sequence, newest?.text);
    await expectValid(client, log.log, proof);
    const shown = { changes: 1, firstSequence: String(sequence), lastSequence: String(sequence) };
    await tellAccess(
      client,
      {
        what: flags.out === undefined ? 'view' : 'export',
        ...{ command: 'proof', log: log.name, sequence: String(sequence) },
      },
      shown,
    );
    if (flags.out === undefined) await print(proof.text);
    else writeProof(flags.out, proof.text);
    printNote(summary(sequence, proof, flags.out));
  });
}

function parseSequence(text: string): number {
  const digits = text.replace(/[,_]/g, '');
  if (/^\d{1,15}$/.test(digits)) return Number(digits);
  throw usageError(
    `${JSON.stringify(text)} is no sequence number`,
    'It is the number of an entry: the id in the view changes, "sequence" in bemi log --json.',
  );
}

async function makeProof(
  client: pg.ClientBase,
  log: number,
  sequence: number,
  checkpoint: string | undefined,
): Promise<StoredEntryProof> {
  try {
    return await storedEntryProof({ client, log, sequence, checkpoint });
  } catch (error) {
    if (error instanceof NoProofError)
      throw new CliError(1, error.reason, error.message.replace(/\.$/, ''), fixes[error.reason], {
        cause: error,
      });
    throw error;
  }
}

const fixes: Record<NoProofReason, string> = {
  'no-entry':
    'bemi log --json shows the sequence of each change; bemi verify tells whether entries were deleted.',
  'part-missing': 'Without it the entry says too little to be proven: bemi verify tells what became of it.',
  'checkpoint-too-old': 'Give a newer one, or leave --checkpoint out.',
  'checkpoint-too-new': 'Run bemi verify with this checkpoint.',
  'tree-altered': 'The audit database was altered: run bemi verify.',
};

/** What was altered would give a proof that proves nothing: that is noticed here, not by whoever gets it. */
async function expectValid(
  client: pg.ClientBase,
  log: number,
  { text, checkpoint }: StoredEntryProof,
): Promise<void> {
  const keys = (await pastKeys(client, log)).map((key) =>
    verifierKey(sha256Into, checkpoint.origin, new Uint8Array(key)),
  );
  const result = await verifyEntryProof(text, { hash: sha256Into, verify: verifyEd25519, keys });
  if (result.valid) return;
  throw new CliError(
    1,
    `proof-${result.code}`,
    `The entry can't be proven: ${result.message}`,
    'Run bemi verify: it names what was altered.',
  );
}

function writeProof(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    throw new CliError(
      2,
      'proof-file',
      `The proof can't be written to ${file} (${code})`,
      'Name another path by --out.',
      { cause },
    );
  }
}

function summary(
  sequence: number,
  { kind, isErased, checkpoint }: StoredEntryProof,
  file: string | undefined,
): string {
  const lines = [
    `${file === undefined ? 'Proved' : `Wrote ${file}:`} entry ${countText(sequence)}, ${kind === 'opaque' ? 'of an unknown kind' : `a ${kind}`.replace('a event', 'an event')}, in the checkpoint of ${countText(checkpoint.size)} entries.`,
    isErased
      ? 'Its texts were erased: the proof shows that it was recorded, when, and in which table, and nothing of what it said.'
      : 'It discloses the entry, with its context: give it to nobody who may not see that.',
    `To check it anywhere: bemi-verify ${file ?? 'FILE'} --key KEY   (bemi keys signing show prints the key)`,
  ];
  return `${lines.join('\n')}\n`;
}

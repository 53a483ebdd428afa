import { encodeBase64 } from '@bemi-db/proof/base64';
import { sameBytes } from '@bemi-db/proof/hash';
import { signRotation } from '@bemi-db/proof/key-rotation';
import { generatePrivateKey, rawPublicKey } from '@bemi-db/proof/node-crypto';
import { formatKeyId, formatVerifierKey } from '@bemi-db/proof/verifier-key';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import {
  createSigningKey,
  loadSigningKey,
  type SigningKey,
  signingKeyFile,
} from '@bemi-db/worker/signing/signing-key';
import { CliError, usageError } from '../cli-error.ts';
import { loadConfiguration } from '../configuration/configuration.ts';
import { labelledLines } from '../output/labelled-lines.ts';
import { print, printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { type AuditDatabase, readingAuditDatabase } from '../trail-reading/audit-database.ts';
import { fingerprint } from '../verification/known-keys.ts';
import { stateDirectoryOf } from '../verification/run-verify.ts';
import { keyPutAside, putInPlace, seedText, stageKey } from './key-files.ts';
import { fileKeyRequests, type KeyRequest, reportAnswers } from './key-requests.ts';
import { type SignedLog, signedLogs } from './signed-logs.ts';

/** The flags that `bemi keys signing …` has in common. */
export interface SigningKeyFlags {
  readonly log?: string;
  readonly embedded?: true;
}

export interface ShowFlags extends SigningKeyFlags {
  readonly json?: true;
}

export interface ReplaceFlags extends SigningKeyFlags {
  readonly reason?: string;
  readonly by?: string;
}

/** What there is to work with: the logs, and the key of this machine. */
interface Keys {
  readonly database: AuditDatabase;
  readonly logs: readonly SignedLog[];
  readonly directory: string;
  readonly key: SigningKey | undefined;
  /** The key is in BEMI_SIGNING_KEY, and no file of it is read. */
  readonly isInEnvironment: boolean;
}

async function withKeys(flags: SigningKeyFlags, work: (keys: Keys) => Promise<void>): Promise<void> {
  const configuration = loadConfiguration();
  const { signingKey } = configuration;
  const directory = stateDirectoryOf(configuration);
  await readingAuditDatabase({ configuration, isEmbedded: flags.embedded === true }, async (database) =>
    work({
      database,
      logs: await signedLogs(database.client, flags.log),
      directory,
      key: loadSigningKey({ directory, ...(signingKey === undefined ? {} : { key: signingKey }) }),
      isInEnvironment: signingKey !== undefined,
    }),
  );
}

/** Prints what an auditor wants: the verifier key of each log, and what to compare over the telephone. */
export async function showSigningKeys(flags: ShowFlags): Promise<void> {
  await withKeys(flags, async ({ logs, directory, key, isInEnvironment }) => {
    const isHere = (log: SignedLog): boolean =>
      key !== undefined && sameBytes(key.publicKey, log.key.publicKey);
    if (flags.json) {
      const json = logs.map((log) => ({
        log: log.name,
        key: formatVerifierKey(log.key),
        keyId: formatKeyId(log.key.id),
        fingerprint: fingerprint(log.key.publicKey),
        sinceEntry: log.sequence,
        isHere: isHere(log),
      }));
      return await print(`${JSON.stringify(json)}\n`);
    }
    const style = textStyle(process.stdout);
    const place = isInEnvironment ? 'BEMI_SIGNING_KEY' : signingKeyFile(directory);
    for (const log of logs) {
      const here = isHere(log)
        ? `its private half is in ${place}`
        : key === undefined
          ? `its private half is not here (${place})`
          : style.colors.yellow(`${place} holds another key, ${fingerprint(key.publicKey)}`);
      await print(
        `${style.colors.bold(harmless(log.name))}\n${labelledLines(
          [
            ['Key', formatVerifierKey(log.key)],
            ['Fingerprint', fingerprint(log.key.publicKey)],
            ['Signs', `from entry ${countText(log.sequence)} on`],
            ['Here', here],
          ],
          style,
        )}`,
      );
    }
  });
}

/** Another key signs from here on, by the word of the one before. */
export async function rotateSigningKey(flags: SigningKeyFlags): Promise<void> {
  await withKeys(flags, async ({ database, logs, directory, key, isInEnvironment }) => {
    if (key === undefined) throw keyNotHere(directory);
    const signed = logs.filter((log) => sameBytes(log.key.publicKey, key.publicKey));
    if (signed.length === 0) return await finishRotation(database, logs, directory, key, isInEnvironment);
    const drawn = generatePrivateKey();
    const publicKey = rawPublicKey(drawn);
    const requests = signed.map((log) => rotation(log, key, publicKey));
    if (isInEnvironment) {
      const ids = await fileKeyRequests(database.client, requests);
      await print(`BEMI_SIGNING_KEY=${seedText(drawn)}\n`);
      printNote(
        `That is a secret: put it in the worker's environment in place of the old one, and start it again.\n`,
      );
      return await reportAnswers(database.client, signed, ids, false);
    }
    const staged = stageKey(directory, drawn);
    let kept: string | undefined;
    const ids = await fileKeyRequests(database.client, requests, () => {
      kept = putInPlace(directory, staged, key);
    });
    printNote(
      `${signingKeyFile(directory)} holds a new key, ${fingerprint(publicKey)}; the old one is ${kept}. Keep a copy of the new one.\n`,
    );
    await reportAnswers(database.client, signed, ids, true);
    printNote('Give auditors the new key: bemi keys signing show\n');
  });
}

/** A rotation that was interrupted between its two halves: the new key is in place, and no worker was asked. */
async function finishRotation(
  { client }: AuditDatabase,
  logs: readonly SignedLog[],
  directory: string,
  key: SigningKey,
  isInEnvironment: boolean,
): Promise<void> {
  const asked: { readonly log: SignedLog; readonly old: SigningKey }[] = [];
  if (!isInEnvironment) {
    for (const log of logs) {
      const old = keyPutAside(directory, log.key.publicKey);
      if (old) asked.push({ log, old });
    }
  }
  if (asked.length === 0)
    throw new CliError(
      1,
      'signing-key-other',
      'The key here is not the one that signs the log',
      'Run it where the worker has its key. If that is lost: bemi keys signing replace --reason "…" --by NAME',
    );
  const ids = await fileKeyRequests(
    client,
    asked.map(({ log, old }) => rotation(log, old, key.publicKey)),
  );
  printNote(
    'A rotation had been interrupted: the worker is asked again to sign with the key that is in place.\n',
  );
  await reportAnswers(
    client,
    asked.map(({ log }) => log),
    ids,
    true,
  );
}

/** A key takes the place of one that was lost: without its word, so the log says who answers for it. */
export async function replaceSigningKey({ reason, by, ...flags }: ReplaceFlags): Promise<void> {
  if (!reason?.trim() || !by?.trim())
    throw usageError(
      `${reason?.trim() ? '--by' : '--reason'} is missing`,
      'Say why the key is replaced and who answers for it: both stand in the log for good.',
    );
  await withKeys(flags, async ({ database, logs, directory, key, isInEnvironment }) => {
    const lost = logs.filter((log) => key === undefined || !sameBytes(log.key.publicKey, key.publicKey));
    if (lost.length === 0)
      throw new CliError(
        1,
        'signing-key-here',
        'The key that signs the log is here: it is not lost',
        'To sign with another one from here on: bemi keys signing rotate',
      );
    // A key that is here and signs nothing yet was put here to be the new one.
    const next = key ?? createSigningKey(directory);
    const requests = lost.map((log) => ({
      log,
      payload: {
        event: 'replaced',
        publicKey: encodeBase64(next.publicKey),
        previous: log.publicKeyText,
        reason: reason.trim(),
        by: by.trim(),
      },
    }));
    const ids = await fileKeyRequests(database.client, requests);
    const where = isInEnvironment ? 'BEMI_SIGNING_KEY' : signingKeyFile(directory);
    printNote(`The new key is in ${where}, ${fingerprint(next.publicKey)}. Keep a copy of it.\n`);
    await reportAnswers(database.client, lost, ids, false);
    printNote(
      'Start the worker. bemi verify reports the replacement from now on; give auditors the new key yourself.\n',
    );
  });
}

function rotation(log: SignedLog, old: SigningKey, publicKey: Uint8Array): KeyRequest {
  const signature = signRotation({ logId: log.logId, previous: old.publicKey, publicKey }, old.sign);
  return {
    log,
    payload: {
      event: 'rotated',
      publicKey: encodeBase64(publicKey),
      previous: log.publicKeyText,
      signature: encodeBase64(signature),
    },
  };
}

function keyNotHere(directory: string): CliError {
  return new CliError(
    1,
    'signing-key-missing',
    `There is no key: neither BEMI_SIGNING_KEY nor ${signingKeyFile(directory)}`,
    'Run it where the worker runs, in its folder. If the key is lost: bemi keys signing replace --reason "…" --by NAME',
  );
}

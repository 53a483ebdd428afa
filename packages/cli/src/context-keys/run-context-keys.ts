import { type ContextKey, readContextKeys, storeSealedKey } from '@bemi-db/trail/context-keys';
import { harmless } from '@bemi-db/trail/facts/harmless-text';
import type { SourceSummary } from '@bemi-db/trail/query/trail-summary';
import { isPlainText } from '@bemi-db/trail/request-payload';
import { apiKeyId, newApiKey, parseEncryptionKey, sealApiKey } from '@bemi-db/worker/authenticity/sealed-key';
import type pg from 'pg';
import { CliError, configurationError, usageError } from '../cli-error.ts';
import { type Configuration, loadConfiguration } from '../configuration/configuration.ts';
import { invocation } from '../output/invocation.ts';
import { print, printNote } from '../output/print.ts';
import { momentText } from '../presentation/moment-text.ts';
import { countText } from '../presentation/quantity-text.ts';
import { textStyle } from '../presentation/text-style.ts';
import { askWorker, parseWait } from '../worker-requests/ask-worker.ts';
import { withRecordedSource } from '../worker-requests/recorded-source.ts';
import { parseDelay } from './delay-argument.ts';

/** The flags that `bemi keys create`, `list` and `revoke` have in common. */
export interface ContextKeyFlags {
  readonly json?: true;
  readonly source?: string;
  readonly embedded?: true;
}

export interface CreateKeyFlags extends ContextKeyFlags {
  readonly name?: string;
  readonly by?: string;
  readonly wait?: string;
}

export interface RevokeKeyFlags extends ContextKeyFlags {
  readonly after?: string;
  readonly by?: string;
  readonly wait?: string;
}

/** Makes a key for an application, and shows it this once. */
export async function createContextKey(flags: CreateKeyFlags): Promise<void> {
  const waitSeconds = parseWait(flags.wait);
  const named = { ...plainText('--name', flags.name, 'name'), ...plainText('--by', flags.by, 'by') };
  const encryptionKey = requireEncryptionKey(loadConfiguration());
  await withRecordedSource(flags, async (client, source) => {
    const apiKey = newApiKey();
    const id = apiKeyId(apiKey);
    const sealed = sealApiKey(apiKey, encryptionKey, await logIdOf(client, source));
    const asked = askWorker({
      ...{ client, source, kind: 'config', waitSeconds },
      payloads: [{ event: 'context-key-created', id, ...named }],
      beforeRequests: () => storeSealedKey(client, source.log, id, sealed),
      refusalFix: `Set the BEMI_ENCRYPTION_KEY of this command where the worker runs, and start the worker again.`,
    });
    const unanswered = await asked.then(
      () => undefined,
      (error: unknown) => {
        // The request waits, and so the key will count: it must not be lost.
        if (error instanceof CliError && error.code === 'no-answer') return error;
        throw error;
      },
    );
    const [sequence] = unanswered ? [undefined] : await asked;
    if (flags.json) {
      const shown = {
        id,
        apiKey,
        name: flags.name ?? null,
        sequence: sequence === undefined ? null : Number(sequence),
      };
      await print(`${JSON.stringify(shown)}\n`);
    } else await print(`${apiKey}\n`);
    if (unanswered) throw unanswered;
    if (flags.json) return;
    printNote(
      `The key ${id} counts for ${harmless(source.name)} from entry ${countText(sequence!)} on.\n` +
        'It is shown this once: put it into the environment of the application, as BEMI_API_KEY.\n',
    );
  });
}

/** Ends a key, now or after a while in which it still counts. */
export async function revokeContextKey(id: string, flags: RevokeKeyFlags): Promise<void> {
  const waitSeconds = parseWait(flags.wait);
  const afterSeconds = flags.after === undefined ? 0 : parseDelay(flags.after, '--after');
  const by = plainText('--by', flags.by, 'by');
  await withRecordedSource(flags, async (client, source) => {
    const key = (await readContextKeys(client, source.log)).find((each) => each.id === id);
    if (!key) {
      throw usageError(
        `There is no key ${JSON.stringify(id)}`,
        `See ${invocation()} keys list. An id is 8 characters, the first after bemi_sk_.`,
      );
    }
    await askWorker({
      ...{ client, source, kind: 'config', waitSeconds },
      payloads: [{ event: 'context-key-revoked', id, afterSeconds, ...by }],
    });
    const revoked = (await readContextKeys(client, source.log)).find((each) => each.id === id)!;
    if (flags.json) await print(`${JSON.stringify(revoked)}\n`);
    else await print(keyLine(revoked));
  });
}

/** Shows the keys of a log, without the keys. */
export async function listContextKeys(flags: ContextKeyFlags): Promise<void> {
  await withRecordedSource(flags, async (client, source) => {
    const keys = await readContextKeys(client, source.log);
    if (flags.json) await print(keys.map((key) => `${JSON.stringify(key)}\n`).join(''));
    else if (keys.length === 0)
      await print(
        `There is no key: contexts are recorded as unsigned. To make one: ${invocation()} keys create\n`,
      );
    else await print(keys.map(keyLine).join(''));
  });
}

function keyLine({ id, name, createdAt, revokedAt, sequence }: ContextKey): string {
  const style = textStyle(process.stdout);
  const { colors } = style;
  const moment = (text: string) => momentText(text, style.timeZone);
  const isOver = revokedAt !== undefined && Date.parse(revokedAt) <= Date.now();
  const state =
    revokedAt === undefined
      ? colors.green('counts')
      : isOver
        ? colors.red(`revoked at ${moment(revokedAt)}`)
        : colors.yellow(`counts until ${moment(revokedAt)}`);
  const title = name === undefined ? '' : `  ${harmless(name)}`;
  return `${colors.bold(id)}${title}  ${state}  ${colors.dim(`made ${moment(createdAt)}, entry ${sequence}`)}\n`;
}

/** @throws CliError (exit code 2) where it is missing, or is none. */
function requireEncryptionKey({ encryptionKey }: Configuration): Buffer {
  if (encryptionKey !== undefined) return parseEncryptionKey(encryptionKey);
  throw configurationError(
    'BEMI_ENCRYPTION_KEY is not set: keys are stored encrypted by it',
    'Make one by: openssl rand -base64 32\nPut it as BEMI_ENCRYPTION_KEY=… where the worker runs (.bemi/worker.env), and start the worker again.',
  );
}

function plainText(flag: string, text: string | undefined, member: string): Readonly<Record<string, string>> {
  if (text === undefined) return {};
  if (isPlainText(text)) return { [member]: text };
  throw usageError(`${flag} is empty, or too long`, `Write a short text, as in ${flag} "web application".`);
}

async function logIdOf(client: pg.ClientBase, { log }: SourceSummary): Promise<string> {
  const { rows } = await client.query<{ logId: string }>(
    'SELECT log_id AS "logId" FROM bemi.logs WHERE log = $1',
    [log],
  );
  return rows[0]!.logId;
}

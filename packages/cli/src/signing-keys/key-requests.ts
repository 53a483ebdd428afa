import { setTimeout as delay } from 'node:timers/promises';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import type pg from 'pg';
import { printNote } from '../output/print.ts';
import { countText } from '../presentation/quantity-text.ts';
import type { SignedLog } from './signed-logs.ts';

/** A request to a log's worker to sign with another key. */
export interface KeyRequest {
  readonly log: SignedLog;
  readonly payload: object;
}

const patienceMs = 5_000;
const pollMs = 200;

/**
 * Asks the workers of the logs to sign with another key. A running one hears of it at the commit, and takes the key whose
 * file it then finds: so the file is put in place before.
 *
 * @param beforeCommit - puts the key in place, once the requests are known to be accepted.
 * @returns ids of the requests.
 */
export async function fileKeyRequests(
  client: pg.ClientBase,
  requests: readonly KeyRequest[],
  beforeCommit: () => void = () => undefined,
): Promise<readonly string[]> {
  await client.query('BEGIN READ WRITE');
  try {
    const ids: string[] = [];
    for (const { log, payload } of requests) ids.push(await request(client, log.log, 'key', payload));
    beforeCommit();
    await client.query('COMMIT');
    return ids;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

/** Waits a little for the workers, and says from which entry on each log is signed with the new key. */
export async function reportAnswers(
  client: pg.ClientBase,
  logs: readonly SignedLog[],
  ids: readonly string[],
  isAwaited: boolean,
): Promise<void> {
  const deadline = Date.now() + (isAwaited ? patienceMs : 0);
  for (const [i, id] of ids.entries()) {
    const { name } = logs[i]!;
    let answer = await requestAnswer(client, id);
    while (answer === undefined && Date.now() < deadline) {
      await delay(pollMs);
      answer = await requestAnswer(client, id);
    }
    if (answer === undefined)
      printNote(`${name}: the worker signs with it when it next starts with that key.\n`);
    else if ('sequence' in answer)
      printNote(`${name}: the worker signs with it from entry ${countText(answer.sequence)} on.\n`);
    else printNote(`${name}: the worker refuses it (${answer.refusal}).\n`);
  }
}

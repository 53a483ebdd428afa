import { setTimeout as delay } from 'node:timers/promises';
import { storeSealedKey } from '@bemi-db/trail/context-keys';
import { type RequestAnswer, request, requestAnswer } from '@bemi-db/trail/inbox';
import type pg from 'pg';
import { apiKeyId, parseEncryptionKey, sealApiKey } from '../src/authenticity/sealed-key.ts';

export const encryptionKey = Buffer.alloc(32, 'secret').toString('base64');

/** Asks for a key as `bemi keys create` does, for log 0. Returns the request's id. */
export async function askForContextKey(trail: pg.ClientBase, apiKey: string, sealedBy = encryptionKey) {
  const { rows } = await trail.query<{ logId: string }>(
    'SELECT log_id AS "logId" FROM bemi.logs WHERE log = 0',
  );
  const sealed = sealApiKey(apiKey, parseEncryptionKey(sealedBy), rows[0]!.logId);
  await storeSealedKey(trail, 0, apiKeyId(apiKey), sealed);
  return await request(trail, 0, 'config', {
    event: 'context-key-created',
    id: apiKeyId(apiKey),
    name: 'app',
  });
}

export async function answered(trail: pg.ClientBase, id: string): Promise<RequestAnswer> {
  for (;;) {
    const answer = await requestAnswer(trail, id);
    if (answer) return answer;
    await delay(50);
  }
}

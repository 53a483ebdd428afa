import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import { createRecordedDatabase, type RecordedDatabase } from '@bemi-db/test-kit/recorded-database';
import { type RecordedChange, recordedChanges } from '@bemi-db/test-kit/to-jsonb-oracle';
import { request } from '@bemi-db/trail/inbox';
import { verifyStoredLog } from '@bemi-db/trail/verify/verify-log';
import { expect } from 'vitest';
import { createWorker, type WorkerOptions } from '../src/create-worker.ts';
import { answered, encryptionKey } from './context-key.ts';

export interface RuledSource extends RecordedDatabase {
  readonly targets: WorkerOptions;
  drain(more?: Partial<WorkerOptions>): Promise<void>;
  /** Asks for rules and has a worker answer: the sequence of the event, or the refusal. */
  set(rules: object, more?: object): Promise<string>;
  /** What is recorded: operation, table, key, before, after. */
  changes(): Promise<unknown[][]>;
}

/** A source whose tables `prepare` makes, with a log that has begun. */
export async function ruledSource(prepare: string, more: Partial<WorkerOptions> = {}): Promise<RuledSource> {
  const database = await createRecordedDatabase((sql) => sql.query(prepare));
  const { source, audit, trail, slot } = database;
  const targets: WorkerOptions = {
    ...{ source: source.url, destination: audit.url, slot, encryptionKey },
    ...more,
  };
  const drain = (other: Partial<WorkerOptions> = {}) =>
    createWorker({ ...targets, ...other }).run({ drain: true });
  await drain();
  return {
    ...database,
    targets,
    drain,
    async set(rules, others = {}) {
      await drain(); // what is there is judged by the rules before
      const id = await askForRules(database, rules, others);
      await drain();
      const answer = await answered(trail, id);
      return 'sequence' in answer ? answer.sequence : answer.refusal;
    },
    async changes() {
      await drain();
      await verifyLogStructure(trail);
      const report = await verifyStoredLog({ client: trail, log: 0, keys: [], checkpoints: [] });
      expect(report.findings).toEqual([]);
      return (await recordedChanges(trail)).map(summary);
    },
  };
}

/** As `bemi rules set` does. Returns the request's id. */
export function askForRules(
  { trail }: Pick<RecordedDatabase, 'trail'>,
  rules: object,
  more: object = {},
): Promise<string> {
  return request(trail, 0, 'config', { event: 'rules-set', rules, reason: 'test', by: 'Ada', ...more });
}

const parsed = (text: string | null): unknown => (text === null ? null : JSON.parse(text));

function summary({ operation, table, primaryKey, before, after }: RecordedChange): unknown[] {
  return [operation, table, primaryKey, parsed(before), parsed(after)];
}

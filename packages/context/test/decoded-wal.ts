import type { TestDatabase } from '@bemi-db/test-kit/database';
import type pg from 'pg';

/**
 * A committed transaction, in order: a context is its object, a change is `INSERT 1`, operation and first column. A context
 * that came behind its changes is in front of them, as a reader takes it.
 */
export type Decoded = (Record<string, unknown> | string)[];

export interface DecodedWal {
  /** The transactions that were committed since the last call. */
  take(): Promise<Decoded[]>;
  /** The same, as it came. */
  takeAsWritten(): Promise<Decoded[]>;
  /** Each message's text since the last call. */
  takeMessages(): Promise<string[]>;
}

const MESSAGE = /^message: transactional: 1 prefix: _bemi, sz: \d+ content:(?<content>[\s\S]*)$/;
const CHANGE = /^table [^:]+: (?<operation>[A-Z]+):(?: [^:]+:'?(?<key>[^' ]+))?/;

/** What logical decoding gives of a database from now on. */
export async function decodeWal(database: TestDatabase): Promise<DecodedWal> {
  const client = await database.connect();
  const slot = `${database.name}_decode`;
  await client.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slot]);
  return {
    take: async () => transactions(await takeLines(client, slot)).map(contextFirst),
    takeAsWritten: async () => transactions(await takeLines(client, slot)),
    takeMessages: async () =>
      (await takeLines(client, slot)).flatMap((line) => MESSAGE.exec(line)?.groups?.['content'] ?? []),
  };
}

async function takeLines(client: pg.Client, slot: string): Promise<string[]> {
  const { rows } = await client.query<{ data: string }>(
    `SELECT data FROM pg_logical_slot_get_changes($1, NULL, NULL, 'include-xids', '0')`,
    [slot],
  );
  return rows.map((row) => row.data);
}

function transactions(lines: readonly string[]): Decoded[] {
  const committed: Decoded[] = [];
  let open: Decoded = [];
  for (const line of lines) {
    if (line === 'BEGIN') open = [];
    else if (line === 'COMMIT') committed.push(open);
    else open.push(entry(line));
  }
  return committed.filter((transaction) => transaction.length > 0);
}

function contextFirst(transaction: Decoded): Decoded {
  const contexts = transaction.filter((entry) => typeof entry !== 'string');
  if (contexts.length !== 1 || typeof transaction.at(-1) === 'string') return transaction;
  return [...contexts, ...transaction.slice(0, -1)];
}

function entry(line: string): Decoded[number] {
  const content = MESSAGE.exec(line)?.groups?.['content'];
  if (content !== undefined) return JSON.parse(content) as Record<string, unknown>;
  const { operation, key } = CHANGE.exec(line)?.groups ?? {};
  if (operation === undefined) throw new Error(`Not understood: ${line}`);
  return key === undefined ? operation : `${operation} ${key}`;
}

import { seededRandom } from '@bemi-db/test-kit/random-workload/seeded-random';
import type pg from 'pg';
import { createSource, findSource } from '../src/sources.ts';

/** Hours of the log, from here on; in no order, as clocks that jump would have it. */
export const randomLogBegins = new Date('2026-03-20T00:00:00Z');
export const randomLogHours = 24 * 40;

const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;
const contexts = [
  ...[
    undefined,
    undefined,
    '{}',
    '{"note":"nobody"}',
    '{"userId":"anna"}',
    '{"user_id":"ben","email":"b@x.io"}',
  ],
  ...['{"user":{"id":7,"name":"anna"}}', '{"actor":"dba","role":"NURSE"}', '{"email":"anna","job":""}'],
];
const actors = [
  ...[undefined, undefined, '{"session_user":"dba","application_name":"psql"}'],
  ...[
    '{"session_user":"app","role":"owner","application_name":"app"}',
    '{"session_user":"anna","client_addr":"::1"}',
  ],
];

/**
 * Writes a log of random transactions over the boundary of a range of the index, of tables, partitions, contexts and actors of
 * every kind.
 *
 * @param first - sequence of the first entry.
 */
export async function writeRandomLog(
  client: pg.Client,
  { seed, transactions, first }: { seed: number; transactions: number; first: number },
): Promise<{ readonly log: number; readonly end: number }> {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[random.below(list.length)]!;
  await createSource(client, {
    ...{ name: 'app', systemIdentifier: '1', database: 'app', slot: 's', publication: 'p' },
    ...{ timeline: 1, completeFromLsn: '0/100' },
  });
  const { log } = (await findSource(client, 'app'))!;
  await client.query(
    'SELECT bemi.create_partitions($1, 0, 131072), bemi.create_partitions($1, 131072, 1000000)',
    [log],
  );
  // A table, one that was altered, a partition of one, and one of the same name elsewhere.
  await client.query(
    `INSERT INTO bemi.relations (log, relation, oid, schema_name, table_name, root_schema, root_table, document)
     VALUES ($1, 0, 1, 'public', 'patient', 'public', 'patient', '{}'), ($1, 1, 1, 'public', 'patient', 'public', 'patient', '{}'),
            ($1, 2, 2, 'public', 'visit', 'public', 'visit', '{}'), ($1, 3, 3, 'public', 'visit_2026', 'public', 'visit', '{}'),
            ($1, 4, 4, 'sales', 'visit', 'sales', 'visit', '{}')`,
    [log],
  );
  const rows = { contexts: [] as object[], changes: [] as object[], commits: [] as object[] };
  let next = first;
  for (let n = 0; n < transactions; n++) {
    const transaction = next;
    // No change refers to a context that is not there, unless there is none at all.
    const said =
      random.below(4) === 0 ? [] : Array.from({ length: 1 + random.below(2) }, () => pick(contexts));
    for (const [context_no, context] of said.entries()) {
      rows.contexts.push({
        log,
        context_no,
        sequence: next++,
        transaction,
        authenticity: 'unsigned',
        context,
        salt: '\\x01',
      });
    }
    // Now and then one that reaches over several blocks.
    const count = n % 200 === 50 ? 1_500 : 1 + random.below(9);
    for (let i = 0; i < count; i++)
      rows.changes.push({
        ...{
          log,
          context_no: said.length === 0 ? 0 : random.below(said.length),
          relation: random.below(5),
          sequence: next++,
          transaction,
        },
        ...{ lsn: '0/1', operation: pick(operations), before_kind: 'none' },
      });
    const hour = random.below(randomLogHours * 60);
    const at = new Date(randomLogBegins.getTime() + hour * 60_000).toISOString();
    const actor = pick(actors);
    rows.commits.push({
      ...{
        log,
        generation: 1,
        sequence: next++,
        transaction,
        commit_lsn: '0/1',
        end_lsn: '0/1',
        covered_from_lsn: '0/1',
      },
      ...{ xid: n, committed_at: at, recorded_at: at, change_count: count, context_count: said.length },
      ...(actor === undefined ? {} : { actor, salt: '\\x01' }),
    });
  }
  for (const [table, list] of [
    ...[['context_log', rows.contexts] as const, ['change_log', rows.changes] as const],
    ['transaction_log', rows.commits] as const,
  ])
    await client.query(
      `INSERT INTO bemi.${table} SELECT * FROM json_populate_recordset(NULL::bemi.${table}, $1::json)`,
      // As texts: a column of the type json takes a JSON string as a string.
      [
        JSON.stringify(list).replaceAll(
          /"(context|actor)":"((?:[^"\\]|\\.)*)"/g,
          (_, name, text) => `"${name}":${JSON.parse(`"${text}"`)}`,
        ),
      ],
    );
  await client.query('UPDATE bemi.logs SET next_sequence = $2 WHERE log = $1', [log, next]);
  // For what the tests compare with.
  await client.query('ANALYZE');
  return { log, end: next };
}

import { streamsContext } from '@bemi-db/test-kit/server-major';
import { readAttestations } from '@bemi-db/trail/attestations/attestations';
import { request, requestAnswer } from '@bemi-db/trail/inbox';
import { expect, test } from 'vitest';
import { createAuditedBank, expectWholeLog } from '../test/audited-bank.ts';
import { createWorker } from './create-worker.ts';
import { ProbeLimit, probeToken } from './probe.ts';

test('a token is short and plain, and one probe a second passes', () => {
  expect(probeToken(Buffer.from('nightly-check_4711'))).toBe('nightly-check_4711');
  for (const text of ['', 'a b', 'é', 'x'.repeat(65), '{"a":1}', 'a\n'])
    expect(probeToken(Buffer.from(text))).toBeUndefined();
  const limit = new ProbeLimit();
  const at = (micros: bigint) => limit.take(micros);
  expect([at(0n), at(999_999n), at(1_000_000n), at(1_500_000n), at(500_000n), at(600_000n)]).toEqual([
    ...[true, false, true, false],
    ...[true, false], // the clock was set back
  ]);
});

test.runIf(streamsContext())(
  'a probe is an event once, also when its transaction has no change and is sent again',
  async () => {
    const bank = await createAuditedBank();
    const { sourceSql, auditSql, targets, slot } = bank;
    await createWorker(targets).run({ drain: true });
    const probe = (token: string) =>
      sourceSql.query(`SELECT pg_logical_emit_message(true, '_bemi_probe', $1::text)`, [token]);
    const probes = async () =>
      (
        await auditSql.query<{ token: string; lsn: string }>(
          `SELECT payload ->> 'token' AS token, payload ->> 'lsn' AS lsn FROM bemi.event_log
          WHERE kind = 'lifecycle' AND payload ->> 'event' = 'probe' ORDER BY sequence`,
        )
      ).rows;
    const state = async () =>
      (
        await auditSql.query(
          `SELECT last_final_lsn::text AS last, confirmed_lsn >= last_final_lsn AS "isConfirmed" FROM bemi.sources`,
        )
      ).rows[0];

    await sourceSql.query('SELECT pg_copy_logical_replication_slot($1, $2)', [slot, `${slot}_behind`]);
    await probe('first');
    await createWorker(targets).run({ drain: true });
    const [first, ...more] = await probes();
    expect([first?.token, more]).toEqual(['first', []]);
    expect(await state()).toEqual({ last: first!.lsn, isConfirmed: true });
    // Nothing but the log's position tells that it is there.
    await createWorker({ ...targets, slot: `${slot}_behind` }).run({ drain: true });
    expect(await probes()).toEqual([first]);

    // With a change: behind its commit, in the same audit transaction. What is no token, and other prefixes, is nothing.
    await sourceSql.query(
      `BEGIN; SELECT pg_logical_emit_message(true, '_bemi_probe', 'not a token'),
                     pg_logical_emit_message(true, '_bemi_probes', 'other'),
                     pg_logical_emit_message(false, '_bemi_probe', 'no-transaction'),
                     pg_logical_emit_message(true, '_bemi_probe', 'changing');
       UPDATE account SET balance = 7 WHERE id = 1; COMMIT`,
    );
    await probe('flood');
    await createWorker(targets).run({ drain: true });
    expect((await probes()).map(({ token }) => token)).toEqual(['first', 'changing']);
    await sourceSql.query('UPDATE account SET balance = 8 WHERE id = 1');
    await createWorker(targets).run({ drain: true });

    // All of it again, from a slot that is behind: what was ignored stays so.
    await createWorker({ ...targets, slot: `${slot}_behind` }).run({ drain: true });
    expect((await probes()).map(({ token }) => token)).toEqual(['first', 'changing']);
    await expectWholeLog(bank);
  },
);

test('an attestation becomes an event with its members and no others; what is none is refused', async () => {
  const { auditSql, targets } = await createAuditedBank();
  await createWorker(targets).run({ drain: true });
  const { rows } = await auditSql.query<{ log: number }>('SELECT log FROM bemi.logs');
  const { log } = rows[0]!;
  const ask = (payload: unknown) => request(auditSql, log, 'attestation', payload);
  const good = await ask({ kind: 'backup', by: 'cron', ref: 's3://bucket/1', secret: 'x' });
  const bad = [
    await ask({ kind: 'Back up', by: 'cron', ref: 'x' }),
    await ask({ kind: 'backup', by: ' ', ref: 'x' }),
    await ask({ kind: 'backup', by: 'cron' }),
    await ask({ kind: 'backup', by: 'cron', ref: 'x', note: 5 }),
    await ask(['backup']),
  ];
  await createWorker(targets).run({ drain: true });
  expect(await requestAnswer(auditSql, good)).toHaveProperty('sequence');
  for (const id of bad) expect(await requestAnswer(auditSql, id)).toHaveProperty('refusal');
  const { rows: events } = await auditSql.query(
    `SELECT payload FROM bemi.event_log WHERE kind = 'attestation'`,
  );
  expect(events).toEqual([{ payload: { kind: 'backup', by: 'cron', ref: 's3://bucket/1' } }]);
  expect(await readAttestations(auditSql, log, 'newest')).toMatchObject([{ kind: 'backup', by: 'cron' }]);
});

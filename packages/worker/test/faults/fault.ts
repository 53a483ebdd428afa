import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import type { StoredLogReport } from '@bemi-db/trail/verify/verify-log';
import pg from 'pg';
import { expect, test } from 'vitest';
import { createWorker } from '../../src/create-worker.ts';
import type { Problem } from '../../src/problem.ts';
import type { RefusalCode } from '../../src/refusal.ts';
import { verifyBank } from '../audited-bank.ts';
import { type FaultScene, type SceneOptions, setScene } from '../fault-scene.ts';

/** A row of the fault table: docs/faults.md has the same rows. */
export interface Fault {
  readonly fault: string;
  /** How the test does it. */
  readonly how: string;
  /** Exactly one. */
  readonly outcome: 'recovers' | `refuses ${RefusalCode}`;
  readonly scene?: SceneOptions;
  /** Only where the machine allows it. Default: everywhere. */
  readonly isPossible?: () => boolean;
  /** Only in the long form of the tests. */
  readonly isLong?: boolean;
  /** Does it, under load, and undoes what a person or time would undo. */
  inflict(scene: FaultScene): Promise<void>;
}

const minutes = 60_000;

/** Tests each row under load, and afterwards the whole log against the source and against everything that was signed. */
export function testFaults(faults: readonly Fault[]): void {
  for (const fault of faults) {
    const isLeftOut =
      fault.isPossible?.() === false || (fault.isLong === true && process.env['TEST_EFFORT'] !== 'full');
    test.skipIf(isLeftOut)(
      `${fault.fault}: ${fault.outcome}`,
      async () => {
        const scene = await setScene(fault.scene);
        await fault.inflict(scene);
        if (fault.outcome === 'recovers') await expectRecovery(scene);
        else await expectRefusal(scene, fault.outcome.slice('refuses '.length));
        expectEachThingSaidOnce(scene);
        if (fault.outcome !== 'recovers') await expectAcceptance(scene);
      },
      3 * minutes,
    );
  }
}

/** The worker that there is goes on by itself, and nothing is missing. */
async function expectRecovery(scene: FaultScene): Promise<void> {
  await scene.recording();
  await scene.caughtUp();
  await scene.pauseLoad();
  await scene.stopWorker();
  await scene.verify();
}

/** The worker stops with the reason, again when it is started again, and the log is as whole as it was. */
async function expectRefusal(scene: FaultScene, code: string): Promise<void> {
  await scene.pauseLoad();
  expect(await endOf(scene)).toMatchObject({ code, kind: 'refuse' });
  const before = await endOfLog(scene);
  scene.startWorker();
  const again = await endOf(scene);
  expect(again).toMatchObject({ code, kind: 'refuse' });
  expect(again?.fix).not.toBe('');
  expect(await endOfLog(scene)).toEqual(before);
  await expectWhole(scene);
}

/** Somebody accepts what is missing: an event says so, and what is written from then on is recorded, in another generation. */
async function expectAcceptance(scene: FaultScene): Promise<void> {
  const problem = await endOf(scene);
  const { sequence, generation } = await createWorker(scene.targets).acceptGap({
    refused: { code: problem?.code as RefusalCode, message: '' },
    reason: 'the fault table',
    by: 'its test',
    confirm: async () => undefined,
  });
  expect(generation).toBe(2);
  scene.startWorker();
  await scene.recording();
  await scene.source.query('CREATE TABLE after_gap (id integer PRIMARY KEY)');
  await scene.source.query('INSERT INTO after_gap SELECT generate_series(1, 3)');
  await scene.caughtUp();
  await scene.stopWorker();
  const rows = await scene.audit.query(
    `SELECT t.generation, c.primary_key AS key FROM bemi.changes v JOIN bemi.change_log c ON c.sequence = v.id
       JOIN bemi.transaction_log t ON t.transaction = c.transaction WHERE v."table" = 'after_gap' ORDER BY v.id`,
  );
  expect(rows).toEqual(['1', '2', '3'].map((key) => ({ generation: 2, key })));
  const doubles = await scene.audit.query(
    'SELECT commit_lsn, xid, committed_at FROM bemi.transaction_log GROUP BY 1, 2, 3 HAVING count(*) > 1',
  );
  expect(doubles).toEqual([]);
  const { notices, provenSize, size } = await expectWhole(scene);
  expect(provenSize).toBe(size);
  expect(notices).toContainEqual(expect.objectContaining({ code: 'gap-accepted', sequence }));
}

/**
 * What there is verifies against everything that was signed and published. The last commit may have come in the moment
 * of the fault: then its checkpoint is remembered by the next session that gets so far.
 */
async function expectWhole(scene: FaultScene): Promise<StoredLogReport> {
  const auditSql = new pg.Client(scene.audit.url());
  await auditSql.connect();
  try {
    await verifyLogStructure(auditSql);
    const report = await verifyBank({ source: { name: scene.source.database }, auditSql });
    expect(report.findings).toEqual([]);
    return report;
  } finally {
    await auditSql.end();
  }
}

/** With what the worker stopped; where it does not, what it says instead. */
async function endOf({ worker, ended }: FaultScene): Promise<Problem | undefined> {
  await expect.poll(() => worker.status().state, { timeout: minutes, interval: 20 }).toBe('stopped');
  return ended;
}

/** Events that say that the worker started may follow. */
function endOfLog(scene: FaultScene): Promise<unknown> {
  return scene.audit.query(
    'SELECT last_final_lsn, confirmed_lsn, (SELECT count(*) FROM bemi.change_log) AS changes FROM bemi.sources',
  );
}

/** A state is said when it changes, not at each try. */
function expectEachThingSaidOnce({ said }: FaultScene): void {
  for (const [i, saying] of said.entries()) {
    const before = said[i - 1];
    if (saying.level === 'warn' && before?.code !== undefined) expect(saying).not.toEqual(before);
  }
}

import { verifyLogStructure } from '@bemi-db/test-kit/log-oracle';
import pg from 'pg';
import { expect, test } from 'vitest';
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
  const auditSql = new pg.Client(scene.audit.url());
  await auditSql.connect();
  try {
    await verifyLogStructure(auditSql);
    const { findings, provenSize, size } = await verifyBank({
      source: { name: scene.source.database },
      auditSql,
    });
    expect(findings).toEqual([]);
    expect(provenSize).toBe(size);
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

import { mkdirSync, writeFileSync } from 'node:fs';
import { reloadSettings } from '@bemi-db/test-kit/reload';
import { typeSql } from '@bemi-db/test-kit/type-sql';
import { expect, test } from 'vitest';
import { guide004 } from '../../../worker/test/guides/guide-004.ts';
import { doctoredClinic } from '../../test/doctored-clinic.ts';
import { runBemi, startBemi } from '../../test/run-bemi.ts';

const minute = 60_000;

/** A worker's line of log for what is in its way, as it is when it isn't a terminal that reads it. */
interface LoggedProblem {
  readonly code?: string;
  readonly fix?: string;
}

// Headings of guide 004, which docs/errors.md answers.
test(
  'each case of the guide’s troubleshooting is named, and cured by what is printed',
  async () => {
    const clinic = await doctoredClinic({ ...guide004.settings });
    const { server, folder, look } = clinic;
    const sourceUrl = server.url('holi_protocol');
    await typeSql(
      sourceUrl,
      'CREATE TABLE "Patient" (id int PRIMARY KEY, name text); CREATE TABLE "Note" (body text);',
    );
    await typeSql(sourceUrl, guide004.step2);
    await typeSql(sourceUrl, guide004.step4);
    mkdirSync(`${folder}/.bemi`);
    const own = new URL(sourceUrl);
    own.username = 'bemi_replication';
    own.password = 'secure_random_password_here';
    writeFileSync(
      `${folder}/.bemi/worker.env`,
      `BEMI_DATABASE_URL=${own.href}\nBEMI_DESTINATION_URL=${server.url('bemi_audit')}\n`,
    );
    const bemi = (...args: string[]) => runBemi(args, {}, folder);
    let rows = 0;
    const write = () => clinic.source.query(`INSERT INTO "Patient" VALUES (${++rows}, 'x')`);
    const recorded = async () =>
      (await bemi('log', '--json', '--table', 'Patient')).stdout.match(/"primaryKey":"\d+"/g)?.length ?? 0;
    const drained = async () => {
      const run = await bemi('worker', '--drain');
      expect(run, run.stderr + run.stdout).toMatchObject({ code: 0 });
    };
    /** What a worker that can't record says of it. It tries on: it is told to stop. */
    const saidBy = async (worker: ReturnType<typeof startBemi>): Promise<LoggedProblem[]> => {
      worker.child.kill('SIGTERM');
      const { stdout, stderr } = await worker.finished;
      return `${stdout}\n${stderr}`
        .split('\n')
        .flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as LoggedProblem] : []))
        .filter(({ code }) => code !== undefined);
    };
    const finding = async (id: string) => (await look()).find((each) => each.id === id)!;
    const runSql = async (sql: readonly string[]) => {
      for (const statement of sql) await clinic.source.query(statement);
    };

    // Issue 1: "replication slot does not exist". Nothing is recorded yet: doctor's SQL, or the worker itself.
    await clinic.source.query(`SELECT pg_drop_replication_slot('bemi_slot')`);
    const noSlot = await finding('slot');
    expect(noSlot).toMatchObject({
      verdict: 'failure',
      title: 'The replication slot bemi_slot does not exist',
    });
    await runSql(noSlot.sql);
    expect((await finding('slot')).verdict).toBe('ok');
    await clinic.source.query(`SELECT pg_drop_replication_slot('bemi_slot')`);
    await drained();
    await write();
    await drained();
    expect(await recorded()).toBe(1);

    // A log is there: the guide's SQL would lose what is not recorded. The worker refuses, with or without it.
    await clinic.source.query(`SELECT pg_drop_replication_slot('bemi_slot')`);
    const refused = await bemi('worker', '--drain');
    expect(refused.code).toBe(1);
    expect(refused.stdout + refused.stderr).toContain('slot-missing');
    expect(refused.stdout + refused.stderr).toContain('bemi gap accept --reason');
    await write(); // lost, as is said
    await clinic.source.query(`SELECT pg_create_logical_replication_slot('bemi_slot', 'pgoutput')`);
    const guides = await bemi('worker', '--drain');
    expect(guides.stderr + guides.stdout).toContain('slot-ahead');
    const accepted = await bemi(
      'gap',
      'accept',
      '--reason',
      'the slot was dropped by mistake, ticket 4711',
      '--yes',
    );
    expect(accepted, accepted.stderr).toMatchObject({ code: 0 });
    await write();
    await drained();
    expect(await recorded()).toBe(2);

    // Issue 2: "permission denied for replication".
    await clinic.source.query('ALTER USER bemi_replication WITH NOREPLICATION');
    const denied = startBemi(['worker', '--port', '0'], {}, folder);
    await denied.untilPrinted('"code":"role"');
    const role = await finding('role');
    expect(role.sql).toEqual(['ALTER USER "bemi_replication" WITH REPLICATION;']);
    await write();
    await runSql(role.sql);
    await denied.untilPrinted('Recording'); // it notices by itself
    await expect.poll(recorded, { timeout: minute }).toBe(3);
    expect((await saidBy(denied)).map(({ fix }) => fix).join()).toContain(role.sql[0]);

    // Issue 3: "publication does not exist". What is written meanwhile can't be decoded, and is passed over, as is said.
    await clinic.source.query(
      'DROP PUBLICATION bemi_publication; ALTER TABLE "Note" REPLICA IDENTITY DEFAULT',
    );
    await write();
    const unpublished = startBemi(['worker', '--port', '0'], {}, folder);
    await unpublished.untilPrinted('"code":"publication"');
    await saidBy(unpublished);
    const publication = await finding('publication');
    // Unlike the guide's, no table refuses an UPDATE meanwhile.
    expect(publication.sql).toEqual([
      'ALTER TABLE "public"."Note" REPLICA IDENTITY FULL;',
      expect.stringMatching(/^CREATE PUBLICATION "bemi_publication" FOR ALL TABLES/),
    ]);
    await runSql(publication.sql);
    await clinic.source.query(`INSERT INTO "Note" VALUES ('a'); UPDATE "Note" SET body = 'b'`);
    const undecodable = startBemi(['worker', '--port', '0'], {}, folder);
    await undecodable.untilPrinted('bemi skip --reason');
    await saidBy(undecodable);
    const skipped = await bemi('skip', '--reason', 'there was no publication', '--yes');
    expect(skipped, skipped.stderr).toMatchObject({ code: 0 });
    await write();
    await drained();
    expect(await recorded()).toBe(4);

    // Issue 4: High replication lag.
    await clinic.source.query(`INSERT INTO "Note" SELECT repeat('x', 1000) FROM generate_series(1, 2000)`);
    const healthy = { BEMI_HEALTHY_LAG_BYTES: String(100 * 1024) };
    const lag = (await look(healthy)).find(({ id }) => id === 'lag');
    expect(lag).toMatchObject({ verdict: 'warning', fix: 'Start the worker: bemi worker' });
    expect((await finding('worker')).fix).toBe('Start it: bemi worker');
    expect((await bemi('status')).stdout).toContain('no worker is streaming');

    // Issue 5: WAL disk space full. The worker's start is what frees it, and nothing is lost.
    const alarm = { BEMI_RETAINED_WAL_BYTES: '1048576', ...healthy };
    const kept = (await look(alarm)).find(({ id }) => id === 'retained-wal')!;
    expect(kept).toMatchObject({
      verdict: 'warning',
      fix: 'Before the disk of the source is full, start the worker: bemi worker',
    });
    await clinic.startWorker();
    await write();
    await expect
      .poll(
        async () => {
          // The audit database is on the same server: a change behind what it has written lets the slot follow at once.
          await clinic.source.query(`INSERT INTO "Note" VALUES ('c')`);
          await clinic.source.query('CHECKPOINT');
          const found = await look(alarm);
          return found
            .filter(({ id }) => id === 'retained-wal' || id === 'lag')
            .map(({ verdict }) => verdict);
        },
        { timeout: minute },
      )
      .toEqual(['ok', 'ok']);
    await clinic.stopWorker();
    expect(await recorded()).toBe(5);

    // Too late: the server has given the slot up, as it does at a limit. The gap is accepted, not silent.
    await clinic.source.query(`ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'`);
    await reloadSettings(clinic.server.url());
    await write();
    for (let segment = 0; segment < 4; segment++) {
      await clinic.source.query(`SELECT pg_logical_emit_message(false, 'test', ''), pg_switch_wal()`);
    }
    await clinic.source.query('CHECKPOINT');
    const lost = await finding('slot-health');
    expect(lost).toMatchObject({ verdict: 'failure', title: 'The replication slot bemi_slot is lost' });
    expect(lost.fix).toContain('bemi gap accept --reason');
    const limit = await finding('slot-limit');
    await runSql(limit.sql);
    const gone = await bemi('worker', '--drain');
    expect(gone.stderr + gone.stdout).toContain('slot-lost');
    const acceptedAgain = await bemi('gap', 'accept', '--reason', 'the disk of the source was full', '--yes');
    expect(acceptedAgain, acceptedAgain.stderr).toMatchObject({ code: 0 });
    await write();
    await drained();
    expect(await recorded()).toBe(6);
    for (const id of ['slot', 'slot-health', 'slot-limit', 'publication', 'role']) {
      expect((await finding(id)).verdict, id).toBe('ok');
    }
    // Nothing of it is silent: both gaps and the skip are reported, and everything else is proven.
    const verified = await bemi('verify', '--json');
    expect(verified, verified.stderr).toMatchObject({ code: 0 });
    expect(verified.stdout.match(/"gap-accepted"/g)).toHaveLength(2);
    expect(verified.stdout).toContain('there was no publication');
  },
  3 * minute,
);

import { createDatabase } from '@bemi-db/test-kit/database';
import { createWorker } from '@bemi-db/worker';
import { expect, onTestFinished, test } from 'vitest';
import { type Finished, runBemi } from '../../test/run-bemi.ts';

/** Patient clx1, who was clx0 before, and a context that a visit of another shares. */
async function recordedClinic() {
  const [source, audit] = [await createDatabase(), await createDatabase()];
  const slot = `slot_${source.name}`;
  const sql = await source.connect();
  await sql.query(`
    CREATE TABLE "Patient" (id text PRIMARY KEY, name text);
    ALTER TABLE "Patient" REPLICA IDENTITY FULL;
    CREATE TABLE line ("order" int, no int, PRIMARY KEY ("order", no))`);
  const targets = { source: source.url, destination: audit.url, slot };
  await createWorker(targets).run({ drain: true });
  const emit = (context: string) => `SELECT pg_logical_emit_message(true, '_bemi', '${context}')`;
  await sql.query(`BEGIN; ${emit('{"userId":"u1"}')}; INSERT INTO "Patient" VALUES ('clx0', 'Ada'); COMMIT`);
  await sql.query(`UPDATE "Patient" SET id = 'clx1' WHERE id = 'clx0'`);
  await sql.query(
    `BEGIN; ${emit('{"userId":"u2"}')}; UPDATE "Patient" SET name = 'Ada L.'; INSERT INTO line VALUES (1042, 3); COMMIT`,
  );
  await createWorker(targets).run({ drain: true });
  const environment = { BEMI_DATABASE_URL: source.url, BEMI_DESTINATION_URL: audit.url };
  return {
    sql,
    bemi: (...args: string[]): Promise<Finished> => runBemi(args, environment),
    /** A worker that runs until the test ends. */
    work() {
      const abort = new AbortController();
      const running = createWorker(targets).run({ signal: abort.signal });
      onTestFinished(async () => {
        abort.abort();
        await running;
      });
    },
  };
}

const who = ['--reason', 'request 117', '--by', 'dpo'];
const ada = ['erase', '--table', 'Patient', '--primary-key', 'clx1', ...who];
const json = ({ stdout }: Finished) => JSON.parse(stdout);
const lines = ({ stdout }: Finished) =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

test('a dry run says what would go, and whose contexts they are', async () => {
  const { bemi } = await recordedClinic();
  const dry = await bemi(...ada, '--dry-run');
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(/Record +clx1, which was also clx0/);
  expect(dry.stdout).toMatch(/Changes +3: INSERT 1, UPDATE 2, from 20/);
  expect(dry.stdout).toMatch(/Contexts +2 of these changes: 0 erased, 2 kept \(--contexts erases all/);
  expect(dry.stdout).toMatch(/kept, is also the context of line \(1 change: \d+\)/);
  const whole = json(await bemi(...ada, '--dry-run', '--json', '--contexts'));
  expect(whole).toMatchObject({ keys: ['clx1', 'clx0'], quarantined: { count: 0, suspects: [] } });
  expect(whole.changes).toHaveLength(3);
  expect(whole.contexts.map(({ others }: { others: object[] }) => others.length)).toEqual([0, 1]);
  // Nothing was done.
  expect(lines(await bemi('log', '--json', '--table', 'Patient')).some((line) => line.erased)).toBe(false);
});

test('erased: the log says so, and a second time there is nothing left', async () => {
  const { bemi, work } = await recordedClinic();
  work();
  const { contexts } = json(await bemi(...ada, '--dry-run', '--json'));
  const own = String(contexts[0].sequence);
  const erased = await bemi(...ada, '--context', own, '--yes', '--json');
  expect(erased).toMatchObject({ code: 0, stderr: '' });
  expect(json(erased)).toEqual({ entries: 4, events: [expect.any(Number)] });

  const log = lines(await bemi('log', '--json', '--table', 'Patient'));
  expect(log).toHaveLength(3);
  for (const change of log)
    expect(change).toMatchObject({ primaryKey: null, before: null, after: null, erased: true });
  expect(log.map(({ contextErased, context }) => contextErased ?? context)).toEqual([
    { userId: 'u2' },
    null,
    true,
  ]);
  const people = await bemi('log', '--table', 'Patient');
  expect(people.stdout).toMatch(/u2 updated Patient\n +the row was erased, its key too\n/);
  const history = await bemi('history', 'Patient', 'clx1');
  expect(history.stdout).toMatch(/No change matches.*Erased +3 changes of this table/s);
  // An erased change is still proven, and what it was is not told.
  const proof = await bemi('proof', String(log[0].sequence));
  expect(proof.code).toBe(0);
  expect(proof.stdout).not.toMatch(/Ada|clx/);
  const verified = await bemi('verify', '--json');
  expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('"erased":4') });
  const again = await bemi(...ada, '--yes');
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('No change matches') });
});

test('a composite key, as bemi log takes it', async () => {
  const { bemi, work } = await recordedClinic();
  work();
  const key = ['--table', 'line', '--primary-key', '["1042", "3"]'];
  expect(json(await bemi('erase', ...key, ...who, '--yes', '--json', '--contexts'))).toMatchObject({
    entries: 2,
  });
  expect(lines(await bemi('log', '--json', '--table', 'line'))).toMatchObject([
    { erased: true, contextErased: true },
  ]);
});

test('without a worker the request waits for one, and it is said what to do', async () => {
  const { bemi, work } = await recordedClinic();
  const waiting = await bemi(...ada, '--yes', '--wait', '1');
  expect(waiting.code).toBe(1);
  expect(waiting.stderr).toMatch(/No worker is recording .*start it by bemi worker/);
  expect(waiting.stderr).toMatch(/1 request waits for it\n.*no-answer\n.*Start the worker/);
  work();
  await expect
    .poll(async () => lines(await bemi('log', '--json', '--table', 'Patient')).map((line) => line.erased), {
      timeout: 20_000,
    })
    .toEqual([true, true, true]);
});

test('holds refuse it, and are listed and released', async () => {
  const { bemi, work } = await recordedClinic();
  work();
  expect(await bemi('hold', 'list')).toMatchObject({ code: 0, stdout: 'No hold is in force.\n' });
  const place = [
    'hold',
    'place',
    '--table',
    'Patient',
    '--primary-key',
    'clx0',
    '--reason',
    'case 4711',
    '--by',
    'legal',
  ];
  const { id } = json(await bemi(...place, '--json'));
  // Placed under the key that it had once: the record as a whole is kept.
  const held = await bemi(...ada, '--yes');
  expect(held.code).toBe(1);
  expect(held.stderr).toMatch(
    new RegExp(`hold ${id} of legal keeps some of these entries: case 4711\n.*held\n.*bemi hold list`),
  );
  expect((await bemi('hold', 'list')).stdout).toMatch(
    new RegExp(`${id}  one record of Patient  case 4711  by legal`),
  );
  expect(await bemi('hold', 'release', 'abc', '--by', 'legal')).toMatchObject({ code: 2 });
  expect((await bemi('hold', 'release', id, '--by', 'legal')).stdout).toContain('is released');
  expect(await bemi(...ada, '--yes')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('Erased. The log says so'),
  });
  expect((await bemi('hold', 'place', '--table', 'Patien', '--reason', 'r', '--by', 'b')).stderr).toMatch(
    /Nothing is recorded of a table Patien/,
  );
});

test('wrong usage', async () => {
  const { bemi } = await recordedClinic();
  const code = async (...args: string[]) => (await bemi(...args)).code;
  expect(await code('erase', '--table', 'Patient', '--primary-key', 'clx1')).toBe(2);
  expect(await code('erase', '--table', 'Patient', ...who)).toBe(2);
  expect(await code('erase', ...who)).toBe(2);
  expect(await code(...ada)).toBe(2); // nobody to ask
  expect(await code(...ada, '--context', 'x', '--dry-run')).toBe(2);
  expect(await code('hold', 'place', '--table', 'Patient', '--by', 'b')).toBe(2);
  expect(await code('hold', 'place', '--help')).toBe(0);
  const told = await bemi(
    'erase',
    '--table',
    'Patient',
    '--primary-key',
    'clx1',
    '--reason',
    'clx1 asked',
    '--by',
    'b',
  );
  expect(told).toMatchObject({ code: 2, stderr: expect.stringContaining('holds the key of the record') });
});

test('retention says what has expired', async () => {
  const { bemi } = await recordedClinic();
  const nothing = await bemi('retention', '--older-than', '3000');
  expect(nothing).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/Nothing to drop: no whole partition is older than 20/),
  });
  expect(json(await bemi('retention', '--json'))).toMatchObject({ before: null, changes: 0 });
  expect(await bemi('retention', '--older-than', 'x')).toMatchObject({ code: 2 });
});

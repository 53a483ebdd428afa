import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type RecordedClinic, recordedClinic } from '../../test/recorded-clinic.ts';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

const verifier = fileURLToPath(new URL('../../../proof/bin/bemi-verify.js', import.meta.url));

/** Where the worker runs: with its key and its memory. */
function verifyHere(clinic: RecordedClinic, ...args: string[]) {
  return runBemi(['verify', ...args], clinic.environment, clinic.folder);
}

/** Elsewhere, as an auditor: only what is given is known. */
function verifyElsewhere(clinic: RecordedClinic, ...args: string[]) {
  return runBemi(['verify', ...args], clinic.environment, projectFolder());
}

async function bemiVerify(...args: string[]): Promise<{ code: number; stdout: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [verifier, ...args]);
    return { code: 0, stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, stdout };
  }
}

async function keyFile(clinic: RecordedClinic): Promise<string> {
  const { stdout } = await runBemi(['keys', 'signing', 'show', '--json'], clinic.environment, clinic.folder);
  const file = join(projectFolder(), 'log.vkey');
  writeFileSync(file, `${(JSON.parse(stdout) as { key: string }[])[0]!.key}\n`);
  return file;
}

test('a whole log is said to be whole, proven where a checkpoint from outside proves it, and nothing of it is shown', async () => {
  const clinic = await recordedClinic();
  const here = await verifyHere(clinic);
  expect(here).toMatchObject({ code: 0, stderr: '' });
  expect(here.stdout).toMatch(/^✓ The log \S+ is whole: none of its \d+ entries was altered/);
  expect(here.stdout).toMatch(/Proven +all \d+ entries, by the checkpoint in \.bemi\//);
  expect(here.stdout).toMatch(/Key .*known from \.bemi\/signing-key\.pem/);
  expect(here.stdout).not.toContain('not proven');

  const elsewhere = await verifyElsewhere(clinic);
  expect(elsewhere.code).toBe(0);
  expect(elsewhere.stdout).toContain('as far as the audit database alone can tell');
  expect(elsewhere.stdout).toMatch(/Tail not proven: no checkpoint from outside of the audit database/);
  expect(elsewhere.stdout).toMatch(/No key was given/);
  expect(elsewhere.stdout + here.stdout).not.toMatch(/secret/i);

  const key = await keyFile(clinic);
  const state = clinic.stateDirectory;
  const memory = join(state, clinic.source.name, 'last-signed');
  for (const checkpoint of [memory, join(state, 'checkpoints')]) {
    const given = await verifyElsewhere(clinic, '--key', key, '--checkpoint', checkpoint, '--json');
    expect(JSON.parse(given.stdout)).toMatchObject({ valid: true, unprovenTail: 0, caveats: [] });
  }
  const pem = await verifyElsewhere(clinic, '--key', join(state, 'signing-key.pem'), '--json');
  expect(JSON.parse(pem.stdout)).toMatchObject({
    valid: true,
    keys: [{ known: expect.stringMatching(/pem$/) }],
  });
});

test('what was done to the log is named, with table and time, and no row, key or context', async () => {
  const clinic = await recordedClinic();
  const { rows } = await clinic.auditSql.query<{ first: string; last: string }>(
    `SELECT min(sequence) AS first, max(sequence) AS last FROM bemi.change_log WHERE operation = 'UPDATE'`,
  );
  const { first, last } = rows[0]!;
  for (const [place, sequence] of [
    ['in a full tile', first],
    ['among the newest entries, by a published tile', last],
  ]) {
    const alter = `UPDATE bemi.change_log SET after = replace(after::text, 'Secret', $1)::json WHERE sequence = $2`;
    await clinic.auditSql.query(alter, ['Forged', sequence]);
    const { code, stdout } = await verifyHere(clinic);
    expect(code, place).toBe(1);
    expect(stdout, place).toContain(
      `✗ Entry ${sequence} was altered  altered\n    UPDATE of public.Patient, committed at 20`,
    );
    expect(stdout).not.toMatch(/secret|forged/i);
    await clinic.auditSql.query(
      `UPDATE bemi.change_log SET after = replace(after::text, 'Forged', 'Secret')::json WHERE sequence = $1`,
      [sequence],
    );
    expect((await verifyHere(clinic)).code).toBe(0);
  }
  await clinic.auditSql.query('DELETE FROM bemi.change_log WHERE sequence = $1', [first]);
  const missing = JSON.parse((await verifyHere(clinic, '--json')).stdout) as { findings: object[] };
  const inThreads = JSON.parse(
    (await verifyHere(clinic, '--json', '--parallel', '2')).stdout,
  ) as typeof missing;
  expect(inThreads.findings).toEqual(missing.findings);
  expect(missing.findings[0]).toMatchObject({
    code: 'missing',
    sequence: Number(first),
    place: { kind: 'missing' },
  });
});

test('another key, and what is no key and no checkpoint', async () => {
  const clinic = await recordedClinic(3);
  const other = await keyFile(await recordedClinic(1));
  const untrusted = await verifyElsewhere(clinic, '--key', other);
  expect(untrusted).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('another key than the one that you know'),
  });
  const vkey = readFileSync(other, 'utf8').trim();
  for (const [args, message] of [
    [['--key', `${vkey}x`], 'holds no key that can be read'],
    [['--key', 'no-such-file'], 'neither a verifier key nor a file'],
    [['--checkpoint', 'no-such-file'], 'There is no file no-such-file'],
    [['--checkpoint', other], 'holds no checkpoint'],
    [['--log', 'other'], 'has no log of other'],
    [['--parallel', 'all'], 'is no number of threads'],
    [['--from-published', '.'], "The log's key is not given"],
  ] as const) {
    const { code, stdout, stderr } = await verifyElsewhere(clinic, ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  }
});

test('a log is whole while it grows', async () => {
  const clinic = await recordedClinic(3);
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  const stop = new AbortController();
  const writing = (async () => {
    for (let n = 1000; !stop.signal.aborted; n++)
      await clinic.sourceSql.query(
        `INSERT INTO "Patient" VALUES (${n}, 'x'); UPDATE "Patient" SET name = 'y' WHERE id = ${n}`,
      );
  })();
  for (let i = 0; i < 5; i++) expect(await verifyHere(clinic)).toMatchObject({ code: 0, stderr: '' });
  stop.abort();
  await writing;
  worker.child.kill('SIGTERM');
  await worker.finished;
});

test('a report is signed, and bemi-verify checks it', async () => {
  const clinic = await recordedClinic();
  const key = await keyFile(clinic);
  const folder = projectFolder();
  const { code, stderr } = await verifyHere(clinic, '--report', join(folder, 'q4.json'));
  expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('q4.note') });
  expect(readdirSync(folder).sort()).toEqual(['q4.json', 'q4.md', 'q4.note']);
  const json = readFileSync(join(folder, 'q4.json'), 'utf8');
  expect(JSON.parse(json)).toMatchObject({
    ...{ format: 'bemi-report', version: 1, valid: true, findings: [] },
    coverage: { ranges: [{ generation: 1 }] },
    notCovered: expect.arrayContaining([expect.stringContaining('Reads')]),
  });
  const markdown = readFileSync(join(folder, 'q4.md'), 'utf8');
  expect(markdown).toMatch(/\*\*Whole\.\*\* None of the \d+ entries/);
  expect(json + markdown).not.toMatch(/secret/i);
  const note = join(folder, 'q4.note');
  expect(await bemiVerify(note, '--key', key)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/signed by the log's key.*q4\.md, unaltered/s),
  });
  writeFileSync(join(folder, 'q4.md'), markdown.replace('Whole', 'Broken'));
  expect(await bemiVerify(note, '--key', key)).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('altered'),
  });
  const unsigned = await verifyElsewhere(clinic, '--report', join(folder, 'other'));
  expect(unsigned.stderr).toContain('not signed');
  expect(readdirSync(folder)).not.toContain('other.note');
});

test('what was published is verified without the audit database', async () => {
  const clinic = await recordedClinic(200);
  const key = await keyFile(clinic);
  const published = join(clinic.stateDirectory, 'checkpoints');
  const verify = () => runBemi(['verify', '--from-published', published, '--key', key]);
  expect(await verify()).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('One history was published'),
  });
  const [logId = ''] = readdirSync(published);
  const tile = join(published, logId, '1/tile/0/001');
  const bytes = readFileSync(tile);
  bytes[77]! ^= 1;
  writeFileSync(tile, bytes);
  expect(await verify()).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('is of another history than the tiles'),
  });
});

test('the proof of an entry is checked offline, in the newest checkpoint and in a kept one, and after erasure', async () => {
  const clinic = await recordedClinic(20);
  const key = await keyFile(clinic);
  const folder = projectFolder();
  const kept = join(folder, 'kept.checkpoint');
  const { rows } = await clinic.auditSql.query<{ checkpoint: string; sequence: string; later: string }>(
    `SELECT checkpoint, (SELECT min(sequence) FROM bemi.change_log) AS sequence FROM bemi.frontier`,
  );
  const { checkpoint, sequence } = rows[0]!;
  writeFileSync(kept, checkpoint);
  await clinic.sourceSql.query(`INSERT INTO "Patient" SELECT n, 'x' FROM generate_series(1000, 1600) n`);
  await clinic.drain();
  const prove = (...args: string[]) =>
    runBemi(
      ['proof', sequence, '--out', join(folder, 'entry.json'), ...args],
      clinic.environment,
      clinic.folder,
    );
  const file = join(folder, 'entry.json');
  expect(await prove()).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringContaining('a change, in the checkpoint of'),
  });
  expect(await bemiVerify(file, '--key', key)).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/INSERT on public\.Patient, proven.*Secret Name 1.*secret-user-1/s),
  });
  expect(await prove('--checkpoint', kept)).toMatchObject({ code: 0 });
  expect(await bemiVerify(file, '--key', key, '--checkpoint', kept)).toMatchObject({ code: 0 });
  const late = await runBemi(['proof', '600', '--checkpoint', kept], clinic.environment, clinic.folder);
  expect(late).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('checkpoint-too-old') });

  await clinic.auditSql.query(
    `UPDATE bemi.change_log SET salt = NULL, primary_key = NULL, before = NULL, after = NULL, commitment = sha256(
       int4send(6) || 'INSERT'::bytea || int4send(16) || salt || int4send(octet_length(primary_key)) || primary_key::bytea ||
       int4send(-1) || int4send(octet_length(after::text)) || convert_to(after::text, 'UTF8')) WHERE sequence = $1`,
    [sequence],
  );
  expect(await prove()).toMatchObject({ code: 0, stderr: expect.stringContaining('Its texts were erased') });
  const erased = await bemiVerify(file, '--key', key);
  expect(erased).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('INSERT on public.Patient, proven'),
  });
  expect(erased.stdout).not.toContain('Secret Name');
  await clinic.auditSql.query(`UPDATE bemi.change_log SET commitment = sha256('x') WHERE sequence = $1`, [
    sequence,
  ]);
  expect(await prove()).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/can't be proven.*bemi verify/s),
  });
});

test('a cut comes first, also where the description of a table was cut off', async () => {
  const clinic = await recordedClinic(1);
  const { rows } = await clinic.auditSql.query<{ relation: string }>(
    'SELECT max(relation) AS relation FROM bemi.relations',
  );
  const { relation } = rows[0]!;
  await clinic.auditSql.query(
    ['change_log', 'context_log', 'transaction_log', 'event_log']
      .map((table) => `DELETE FROM bemi.${table} WHERE sequence >= ${relation};`)
      .join(''),
  );
  await clinic.auditSql.query('UPDATE bemi.logs SET next_sequence = $1', [relation]);
  const { findings } = JSON.parse((await verifyHere(clinic, '--json')).stdout) as {
    findings: { code: string }[];
  };
  expect(findings[0]?.code).toBe('rolled-back');
  expect(findings.map(({ code }) => code)).toContain('relation-altered');
});

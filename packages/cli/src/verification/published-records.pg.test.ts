import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeEntryBundle, encodeEntryBundle } from '@bemi-db/proof/entry-bundle';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { expect, test } from 'vitest';
import { agedClinic, moment } from '../../test/aged-clinic.ts';
import { type RecordedClinic, recordedClinic } from '../../test/recorded-clinic.ts';
import { projectFolder, runBemi, startBemi } from '../../test/run-bemi.ts';

interface PublishedClinic {
  readonly size: number;
  /** Where records are published. */
  readonly folder: string;
  verify(...args: string[]): Promise<{ code: number | null; json: Verified }>;
  /** The path of a bundle of records, or of a tile of level 0. */
  path(kind: 'entries' | 0, index: number): string;
}

interface Verified {
  readonly valid: boolean;
  readonly findings: readonly { readonly code: string; readonly sequence?: number }[];
  readonly records: { readonly entries: number } | null;
  readonly notChecked: readonly string[];
}

/** Has a worker publish what is recorded, with its records, to a new place. */
async function published(clinic: RecordedClinic): Promise<PublishedClinic> {
  const place = projectFolder();
  const environment = { ...clinic.environment, BEMI_CHECKPOINT_URL: `file://${place}?records=yes` };
  const logged = async () => {
    const { rows } = await clinic.auditSql.query<{ size: number; id: string }>(
      'SELECT next_sequence::int AS size, log_id AS id FROM bemi.logs',
    );
    return rows[0]!;
  };
  const before = await logged();
  const { id } = before;
  const checkpoint = join(place, id, '1/checkpoint');
  const publishedSize = () =>
    existsSync(checkpoint) ? Number(readFileSync(checkpoint, 'utf8').split('\n')[1]) : 0;
  const worker = startBemi(['worker'], environment, clinic.folder);
  // It says that it has started, and what of the source is recorded, and publishes that too.
  await expect.poll(publishedSize, { timeout: 60_000 }).toBeGreaterThan(before.size);
  worker.child.kill('SIGTERM');
  await worker.finished;
  // And that it has stopped.
  const size = publishedSize();
  expect(size).toBe((await logged()).size);
  const shown = await runBemi(['keys', 'signing', 'show', '--json'], clinic.environment, clinic.folder);
  const [{ key }] = JSON.parse(shown.stdout) as [{ key: string }];
  return {
    size,
    folder: join(place, id, '1'),
    async verify(...args) {
      const all = ['verify', '--from-published', place, '--key', key, '--json', ...args];
      const { code, stdout } = await runBemi(all);
      return { code, json: JSON.parse(stdout) as Verified };
    },
    path: (level, index) =>
      join(...[place, id, '1'], formatTilePath({ level, index, width: Math.min(256, size - index * 256) })),
  };
}

/** Changes a bundle's records; every other file stays as it was. */
function rewrite(path: string, change: (records: Uint8Array[]) => void): void {
  const records = decodeEntryBundle(readFileSync(path)).map((record) => record.slice());
  change(records);
  writeFileSync(path, encodeEntryBundle(records));
}

test('every leaf is recomputed from published records, and what was done to them is named', async () => {
  const clinic = await recordedClinic(250);
  const log = await published(clinic);
  const last = Math.floor(log.size / 256);
  expect(last).toBeGreaterThan(3);
  const whole = await log.verify();
  expect(whole).toMatchObject({ code: 0, json: { valid: true, findings: [] } });
  const stored = JSON.parse(
    (await runBemi(['verify', '--json'], clinic.environment, clinic.folder)).stdout,
  ) as { counts: Record<string, number> };
  const { changes, contexts, transactions, events } = stored.counts;
  expect(whole.json.records).toMatchObject({
    entries: log.size,
    changes,
    contexts,
    transactions,
    dropped: [],
  });
  const byKind = Object.values((whole.json.records as unknown as { events: Record<string, number> }).events);
  expect(byKind.reduce((sum, count) => sum + count, 0)).toBe(events);
  expect(whole.json.notChecked).toEqual([expect.stringContaining('what events say')]);

  const after = async (paths: readonly string[], damage: () => void) => {
    const kept = paths.map((path) => readFileSync(path));
    damage();
    const { code, json } = await log.verify();
    for (const [i, path] of paths.entries()) writeFileSync(path, kept[i]!);
    expect(code).toBe(json.valid ? 0 : 1);
    return json.findings.map(({ code, sequence }) => [code, sequence]);
  };
  // Altered: in a full bundle, in the newest one, and the sequence itself.
  for (const [index, position, at] of [
    [1, 44, 45],
    [last, 0, 45],
    [2, 7, 3],
  ] as const) {
    const bundle = log.path('entries', index);
    const alter = () =>
      rewrite(bundle, (records) => {
        records[position]![at]! ^= 1;
      });
    expect(await after([bundle], alter)).toEqual([['altered', index * 256 + position]]);
  }
  // Missing: a full bundle, the newest one.
  for (const index of [1, last]) {
    const bundle = log.path('entries', index);
    expect(await after([bundle], () => rmSync(bundle))).toEqual([['missing', index * 256]]);
  }
  // Exchanged, within a bundle and between two.
  const [one, two] = [log.path('entries', 1), log.path('entries', 3)];
  const within = () =>
    rewrite(one, (records) => {
      [records[10], records[200]] = [records[200]!, records[10]!];
    });
  expect(await after([one], within)).toEqual([
    ['moved', 256 + 10],
    ['moved', 256 + 200],
  ]);
  const between = () => {
    const [first] = decodeEntryBundle(readFileSync(one)).slice(10);
    const [second] = decodeEntryBundle(readFileSync(two)).slice(20);
    rewrite(one, (records) => {
      records[10] = second!;
    });
    rewrite(two, (records) => {
      records[20] = first!;
    });
  };
  expect(await after([one, two], between)).toEqual([
    ['moved', 256 + 10],
    ['moved', 768 + 20],
  ]);
  // Cut off, or one too few.
  expect(await after([one], () => writeFileSync(one, readFileSync(one).subarray(0, 1_000)))).toEqual([
    ['malformed-record', 256],
  ]);
  expect(await after([one], () => rewrite(one, (records) => records.pop()))).toEqual([
    ['malformed-record', 256],
  ]);
  // A tile: the records and the checkpoint tell that it is not theirs.
  const tile = log.path(0, 1);
  const alterTile = () => {
    const bytes = readFileSync(tile);
    bytes[40]! ^= 1;
    writeFileSync(tile, bytes);
  };
  expect(await after([tile], alterTile)).toEqual([['tile-altered', undefined]]);
  expect(await after([tile], () => rmSync(tile))).toEqual([['tile-missing', undefined]]);

  // Without any records, tiles and checkpoints are verified, and that is said.
  rmSync(join(log.folder, 'tile/entries'), { recursive: true });
  expect(await log.verify()).toMatchObject({
    code: 0,
    json: { valid: true, records: null, notChecked: [expect.stringContaining('no records')] },
  });
});

test('records of what retention dropped before it was published are absent, and that is said', async () => {
  const clinic = await agedClinic(moment);
  const worker = startBemi(['worker'], clinic.environment, clinic.folder);
  await worker.untilPrinted('"msg":"Recording"');
  const dropped = await runBemi(['retention', '--yes', '--json'], clinic.environment, clinic.folder);
  const { before, sequence } = JSON.parse(dropped.stdout) as { before: number; sequence: number };
  worker.child.kill('SIGTERM');
  await worker.finished;
  // The event is in a full bundle, with entries behind it.
  await clinic.sourceSql.query(`INSERT INTO "Patient" SELECT n, 'x' FROM generate_series(5000, 5600) n`);
  await clinic.drain();

  const log = await published(clinic);
  expect(sequence).toBeLessThan(log.size - 500);
  const { code, json } = await log.verify();
  expect({ code, findings: json.findings }).toEqual({ code: 0, findings: [] });
  expect(json.records).toMatchObject({ entries: log.size - before, dropped: [[0, before - 1]] });
  expect(json.notChecked[0]).toContain('Retention may have dropped');
  // Behind the event nothing may be absent.
  rmSync(log.path('entries', Math.floor(sequence / 256) + 1));
  expect((await log.verify()).json.findings).toMatchObject([
    { code: 'missing', sequence: (Math.floor(sequence / 256) + 1) * 256 },
  ]);
});

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { keyOfSeed, LOG_ID, partOf as part, SmallLog } from '../test/small-log.ts';
import { changeFields, commitmentOf, type Quarantine } from './commitment.ts';
import { cosign } from './cosignature.ts';
import { type Disclosed, makeEntryProof, type PartToProve, parseEntryProof } from './entry-proof.ts';
import { inclusionProof } from './inclusion-proof.ts';
import { rawPublicKey, sha256Into, signerOf, verifyEd25519 } from './node-crypto.ts';
import type { ChangeHeader, CommitHeader } from './record.ts';
import { recordOf, writeChangeRecord, writeCommitRecord } from './record-writer.ts';
import { formatSignatureLine } from './signed-note.ts';
import { formatTime } from './time.ts';
import { formatTlogProof } from './tlog-proof.ts';
import { COSIGNATURE_V1, formatVerifierKey, verifierKey } from './verifier-key.ts';
import { type VerifyEntryProofOptions, verifyEntryProof } from './verify-entry-proof.ts';

/** A log with a few transactions; the proof is of a change of the second. */
async function sample() {
  const log = SmallLog.start();
  log.transaction(2);
  const change = log.transaction(3, { commit: { hasActor: true } });
  log.transaction(300, { contexts: 2 });
  const checkpoint = log.sign();
  const parts = {
    entry: part(log, change),
    commit: part(log, change + 3),
    context: part(log, change - 1),
    relation: part(log, 2),
    created: part(log, 0),
  };
  const make = (changed: Partial<Record<keyof typeof parts, PartToProve | undefined>> = {}) =>
    makeEntryProof(sha256Into, { ...parts, ...changed } as typeof parts, checkpoint, log.reader);
  return { log, change, checkpoint, parts, make };
}

const changeHeader = (sequence: number, quarantined: boolean): ChangeHeader => ({
  sequence,
  transaction: sequence,
  relation: 2,
  lsn: 1n,
  contextNumber: 0,
  operation: 'INSERT',
  beforeKind: 'none',
  quarantined,
});
const commitHeader = (transaction: number): CommitHeader => ({
  sequence: transaction + 1,
  transaction,
  generation: 1,
  commitLsn: 2n,
  endLsn: 3n,
  coveredFromLsn: 0x1000n,
  xid: 9n,
  committedAt: 0n,
  recordedAt: 0n,
  changeCount: 1,
  contextCount: 0,
  hasActor: false,
});
const quarantinedFields = (salt: Uint8Array, quarantine: Quarantine) =>
  changeFields({ operation: 'INSERT', salt, primaryKey: null, before: null, after: null, quarantine });

const verify = (text: string, log: SmallLog, more: Partial<VerifyEntryProofOptions> = {}) =>
  verifyEntryProof(text, { hash: sha256Into, verify: verifyEd25519, keys: [log.key], ...more });

describe('the proof of an entry', () => {
  it('says what is proven of a change', async () => {
    const { log, change, make } = await sample();
    expect(await verify(await make(), log)).toMatchObject({
      valid: true,
      logId: LOG_ID,
      generation: 1,
      database: 'clinic',
      size: log.size,
      signatures: [{ key: log.key }],
      entry: {
        kind: 'change',
        sequence: change,
        operation: 'INSERT',
        schema: 'public',
        table: 'patients',
        erased: false,
        primaryKey: String(change),
        before: null,
        after: `{"id":${change}}`,
        commit: { transactionId: 700n + BigInt(change - 1), changeCount: 3, actor: '{"name":"import"}' },
        context: { context: '{"userId":"u0"}', authenticity: 'unsigned' },
      },
    });
    expect(parseEntryProof(await make()).entry.proof.index).toBe(change);
  });

  it('says what is proven of a context, a commit, an event and an opaque entry', async () => {
    const { log, change, parts } = await sample();
    const opaque = log.push({
      record: Uint8Array.of(7, 1, 0, 0, 0, 0, 0, 0, log.size >> 8, log.size & 255),
      fields: null,
    });
    const checkpoint = log.sign();
    const { created, commit, relation } = parts;
    const entryOf = async (made: Parameters<typeof makeEntryProof>[1]) => {
      const result = await verify(await makeEntryProof(sha256Into, made, checkpoint, log.reader), log);
      return result.valid ? result.entry : result;
    };
    expect(await entryOf({ entry: part(log, change - 1), commit, created })).toMatchObject({
      kind: 'context',
      context: '{"userId":"u0"}',
    });
    expect(await entryOf({ entry: commit, created })).toMatchObject({ kind: 'commit', sequence: change + 3 });
    expect(await entryOf({ entry: relation, created })).toMatchObject({
      kind: 'event',
      eventKind: 'relation',
      actor: 'test',
    });
    expect(await entryOf({ entry: created, created })).toMatchObject({
      kind: 'event',
      eventKind: 'lifecycle',
    });
    expect(await entryOf({ entry: part(log, opaque), created })).toEqual({
      kind: 'opaque',
      sequence: opaque,
    });
  });

  it('holds for an erased entry, and says so', async () => {
    const { log, change, make } = await sample();
    log.entries[change]!.erased = true;
    expect(await verify(await make({ entry: part(log, change) }), log)).toMatchObject({
      valid: true,
      entry: { erased: true, primaryKey: null, after: null, table: 'patients', context: { erased: false } },
    });
  });

  it('holds for a change in a transaction without contexts', async () => {
    const log = SmallLog.start();
    const change = log.transaction(1, { contexts: 0 });
    const made = {
      entry: part(log, change),
      commit: part(log, change + 1),
      relation: part(log, 2),
      created: part(log, 0),
    };
    const text = await makeEntryProof(sha256Into, made, log.sign(), log.reader);
    expect(await verify(text, log)).toMatchObject({ valid: true, entry: { context: undefined } });
    log.transaction(1);
    const context = part(log, change + 2);
    const more = await makeEntryProof(sha256Into, { ...made, context }, log.sign(), log.reader);
    expect(await verify(more, log)).toMatchObject({ code: 'does-not-belong' });
  });

  it('fails where any character of it is another', async () => {
    const { log, make } = await sample();
    const text = await make();
    const parsed = JSON.parse(text);
    let tried = 0;
    const visit = async (holder: Record<string, unknown>) => {
      for (const [name, value] of Object.entries(holder)) {
        if (typeof value === 'object' && value !== null) await visit(value as Record<string, unknown>);
        else if (typeof value === 'string') {
          for (const at of new Set([0, value.length >> 1, value.length - 2, value.length - 1])) {
            if (at < 0) continue;
            holder[name] = `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`;
            const result = await verify(JSON.stringify(parsed), log);
            expect(result.valid, `${name} at ${at}: ${holder[name]}`).toBe(false);
            tried++;
          }
          holder[name] = value;
        }
      }
    };
    await visit(parsed);
    expect(tried).toBeGreaterThan(60);
    expect((await verify(JSON.stringify(parsed), log)).valid).toBe(true);
  });

  it('fails where its parts do not belong together', async () => {
    const { log, change, make } = await sample();
    const refused = async (changed: Parameters<typeof make>[0]) => {
      const result = await verify(await make(changed), log);
      return result.valid ? 'valid' : result.code;
    };
    const next = change + 3 + 3;
    expect(await refused({ commit: part(log, 6) })).toBe('does-not-belong');
    expect(await refused({ commit: undefined })).toBe('part-missing');
    expect(await refused({ context: undefined })).toBe('part-missing');
    expect(await refused({ context: part(log, 3) })).toBe('does-not-belong');
    expect(await refused({ context: part(log, next - 2) })).toBe('does-not-belong');
    expect(
      await refused({
        entry: part(log, next),
        context: part(log, next - 1),
        commit: part(log, log.size - 1),
      }),
    ).toBe('does-not-belong');
    expect(
      await refused({
        entry: part(log, next),
        context: part(log, next - 2),
        commit: part(log, log.size - 1),
      }),
    ).toBe('valid');
    expect(await refused({ relation: part(log, 1) })).toBe('does-not-belong');
    expect(await refused({ relation: undefined })).toBe('part-missing');
    expect(await refused({ relation: part(log, change) })).toBe('does-not-belong');
    expect(await refused({ created: part(log, 1) })).toBe('does-not-belong');
    expect(await refused({ created: undefined })).toBe('part-missing');
    expect(await refused({ created: { ...part(log, 0), disclosed: null } })).toBe('does-not-belong');
    expect(await refused({ commit: { ...part(log, 6), disclosed: { salt: new Uint8Array(16) } } })).toBe(
      'altered',
    );
  });

  it('fails for an entry that says it is another', async () => {
    const log = SmallLog.start();
    const { record, fields } = log.entries[2]!;
    // A log that is wrong in itself: its entry 3 has the record of entry 2.
    log.push({ record, fields });
    const checkpoint = log.sign();
    const made = { entry: part(log, 2), created: part(log, 0) };
    const document = JSON.parse(await makeEntryProof(sha256Into, made, checkpoint, log.reader));
    expect((await verify(JSON.stringify(document), log)).valid).toBe(true);
    const hashes = await inclusionProof(sha256Into, 3, 4, log.reader);
    document.entry.proof = formatTlogProof({ index: 3, hashes, checkpoint });
    expect(await verify(JSON.stringify(document), log)).toMatchObject({
      code: 'not-included',
      message: expect.stringContaining('says that it is entry 2'),
    });
  });

  it('fails in a log that is wrong in itself', async () => {
    const proofOf = async (log: SmallLog, change: number) => {
      const relation = log.entries.findLastIndex(({ payload }) => payload?.includes('"schema"'));
      const made = {
        entry: part(log, change),
        commit: part(log, change + 1),
        relation: part(log, relation),
        created: part(log, 0),
      };
      return verify(await makeEntryProof(sha256Into, made, log.sign(), log.reader), log);
    };
    const later = SmallLog.start();
    const change = later.transaction(1, { contexts: 0, commit: { generation: 2 } });
    expect(await proofOf(later, change)).toMatchObject({
      code: 'does-not-belong',
      message: expect.stringContaining('generation'),
    });

    const undescribed = SmallLog.start();
    const first = undescribed.transaction(1, { contexts: 0, change: { relation: 5 } });
    undescribed.event('relation', { schema: 'public', table: 'other' });
    expect(await proofOf(undescribed, first)).toMatchObject({
      code: 'does-not-belong',
      message: expect.stringContaining('"relation"'),
    });

    const foreign = new SmallLog();
    foreign.event('lifecycle', { event: 'created', logId: '0'.repeat(32) });
    foreign.event('key', {});
    foreign.event('relation', { schema: 'public', table: 'patients' });
    expect(await proofOf(foreign, foreign.transaction(1, { contexts: 0 }))).toMatchObject({
      code: 'other-log',
    });
  });

  it('holds in quarantine only with the reason', async () => {
    const log = SmallLog.start();
    const sequence = log.size;
    const salt = new Uint8Array(16).fill(3);
    const quarantine = { reason: 'U+0000', bytesHash: new Uint8Array(32).fill(4) };
    const commitment = commitmentOf(sha256Into, quarantinedFields(salt, quarantine));
    const record = recordOf(writeChangeRecord, changeHeader(sequence, true), commitment);
    log.push({ record, fields: null });
    log.push({ record: recordOf(writeCommitRecord, commitHeader(sequence)), fields: null });
    const checkpoint = log.sign();
    const result = async (disclosed: Disclosed) => {
      const made = {
        entry: { record, disclosed },
        commit: part(log, sequence + 1),
        relation: part(log, 2),
        created: part(log, 0),
      };
      return verify(await makeEntryProof(sha256Into, made, checkpoint, log.reader), log);
    };
    expect(await result({ salt, quarantine })).toMatchObject({ valid: true, entry: { quarantined: true } });
    expect(await result({ salt })).toMatchObject({
      code: 'altered',
      message: expect.stringContaining('quarantine'),
    });
  });

  it('fails by another key, another log, another checkpoint', async () => {
    const { log, checkpoint, make } = await sample();
    const text = await make();
    const other = rawPublicKey(keyOfSeed(8));
    const otherKey = verifierKey(sha256Into, log.key.name, other);
    expect(await verify(text, log, { keys: [otherKey] })).toMatchObject({
      code: 'unknown-key',
      message: expect.stringContaining('rotated'),
    });
    expect(
      await verify(text, log, {
        keys: [verifierKey(sha256Into, `bemi/${'0'.repeat(32)}/1`, log.key.publicKey)],
      }),
    ).toMatchObject({ code: 'unknown-key' });
    expect(await verify(text, log, { keys: [] })).toMatchObject({ code: 'unknown-key' });
    // The generation before, by the same key.
    expect(
      await verify(text, log, { keys: [verifierKey(sha256Into, `bemi/${LOG_ID}/7`, log.key.publicKey)] }),
    ).toMatchObject({ valid: true });

    expect(await verify(text, log, { checkpoint })).toMatchObject({ valid: true });
    expect(await verify(text, log, { checkpoint: log.checkpoints[0]!.text })).toMatchObject({
      code: 'other-checkpoint',
    });
    const anew = SmallLog.start();
    anew.transaction(log.size - 3 - 2);
    expect(anew.size).toBe(log.size);
    expect(await verify(text, log, { checkpoint: anew.sign() })).toMatchObject({
      code: 'other-checkpoint',
      message: expect.stringContaining('anew'),
    });
    expect(await verify(text, log, { checkpoint: 'nonsense' })).toMatchObject({ code: 'bad-checkpoint' });
  });

  it('tells which witnesses saw the checkpoint, and needs the log besides', async () => {
    const { log, checkpoint, parts } = await sample();
    const privateKey = keyOfSeed(6);
    const witness = verifierKey(sha256Into, 'witness.example/w1', rawPublicKey(privateKey), COSIGNATURE_V1);
    const cosigned =
      checkpoint + formatSignatureLine(cosign(checkpoint, 1_800_000_000n, witness, signerOf(privateKey)));
    const text = await makeEntryProof(sha256Into, parts, cosigned, log.reader);
    expect(await verify(text, log, { keys: [witness, log.key] })).toMatchObject({
      signatures: [{ key: log.key }, { key: witness, timestamp: 1_800_000_000n }],
    });
    expect(await verify(text, log, { keys: [witness] })).toMatchObject({ code: 'unknown-key' });
  });

  it('is refused where it is no proof', async () => {
    const { log, make } = await sample();
    const document = JSON.parse(await make());
    for (const [text, message] of [
      ['{', 'not JSON'],
      ['[]', 'not an object'],
      ['{}', 'no proof of Bemi'],
      [JSON.stringify({ ...document, version: 2 }), 'version 2'],
      [JSON.stringify({ ...document, entry: undefined }), 'no "entry"'],
      [JSON.stringify({ ...document, entry: { ...document.entry, record: '!' } }), 'not base64'],
      [JSON.stringify({ ...document, entry: { ...document.entry, proof: 'x' } }), "can't be read"],
      [
        JSON.stringify({ ...document, entry: { ...document.entry, disclosed: { salt: 'AAAA', after: 1 } } }),
        'neither a text nor null',
      ],
      [
        JSON.stringify({
          ...document,
          entry: { ...document.entry, disclosed: { salt: 'AAAA', after: '\ud800' } },
        }),
        'well-formed',
      ],
    ] as const)
      expect(await verify(text, log)).toMatchObject({
        code: 'malformed',
        message: expect.stringContaining(message),
      });
  });
});

describe('times', () => {
  it('are RFC 3339 with microseconds', () => {
    expect(formatTime(0n)).toBe('2000-01-01T00:00:00.000000Z');
    expect(formatTime(845_000_000_123_456n)).toBe('2026-10-11T02:13:20.123456Z');
    expect(formatTime(-1n)).toBe('1999-12-31T23:59:59.999999Z');
    expect(formatTime(-946_684_800_000_001n)).toBe('1969-12-31T23:59:59.999999Z');
    expect(formatTime(0x7fffffffffffffffn)).toBe('infinity');
    expect(formatTime(-0x8000000000000000n)).toBe('-infinity');
    expect(formatTime(0x7ffffffffffffffen)).toContain('µs since 2000');
  });
});

const program = fileURLToPath(new URL('../bin/bemi-verify.js', import.meta.url));
const built = existsSync(new URL('../dist/bemi-verify.js', import.meta.url));

// It runs on dist/, as the cli's tests do.
describe.skipIf(!built)('bemi-verify', () => {
  const run = (...given: string[]) => spawnSync(process.execPath, [program, ...given], { encoding: 'utf8' });

  it('says what is proven, or why not, and exits by it', async () => {
    const { log, change, checkpoint, make } = await sample();
    const folder = mkdtempSync(join(tmpdir(), 'bemi-verify-'));
    try {
      const file = (name: string, text: string) => {
        writeFileSync(join(folder, name), text);
        return join(folder, name);
      };
      const good = file('good.json', await make());
      const bad = file('bad.json', (await make()).replace(`{\\"id\\":${change}}`, '{\\"id\\":0}'));
      const key = formatVerifierKey(log.key);
      const keys = file('log.vkey', `# the log's key\n${key}\n`);

      const proven = run(good, '--key', key);
      expect(proven).toMatchObject({ status: 0, stderr: '' });
      expect(proven.stdout).toContain(`entry ${change}, INSERT on public.patients, proven`);
      expect(proven.stdout).toContain('{"userId":"u0"} (unsigned)');
      expect(run(good, '--key', keys, '--checkpoint', file('c', checkpoint)).status).toBe(0);

      const refused = run(good, bad, '--key', keys, '--json');
      expect(refused.status).toBe(1);
      const [first, second] = refused.stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(first).toMatchObject({
        valid: true,
        entry: { commit: { committedAt: '2000-01-01T00:00:05.000000Z' } },
      });
      expect(second).toMatchObject({ valid: false, code: 'altered' });
      expect(run(bad, '--key', keys).stdout).toContain('not proven (altered)');

      for (const wrong of [
        [],
        [good],
        ['--key', key],
        [good, '--key', `${key.slice(0, -1)}`],
        [join(folder, 'none'), '--key', key],
        [good, '--key', keys, '--what'],
      ]) {
        const { status, stderr } = run(...wrong);
        expect([status, stderr.split('\n').length]).toEqual([2, 3]);
      }
      expect(run('--help')).toMatchObject({ status: 0, stdout: expect.stringContaining('Examples:') });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

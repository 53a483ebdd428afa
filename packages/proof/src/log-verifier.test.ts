import { describe, expect, it } from 'vitest';
import { keyOfSeed, LOG_ID, SmallLog } from '../test/small-log.ts';
import { encodeBase64 } from './base64.ts';
import { parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import type { Finding } from './finding.ts';
import { readU64Number, writeU64Number } from './integer.ts';
import { signRotation } from './key-rotation.ts';
import { LeafVerifier, type TileOutcome } from './leaf-verifier.ts';
import {
  type LogReport,
  LogVerifier,
  type LogVerifierOptions,
  type LogVerifierState,
} from './log-verifier.ts';
import { leafHash } from './merkle-tree.ts';
import { rawPublicKey, sha256Into, signerOf, verifyEd25519 } from './node-crypto.ts';
import { RootVerifier } from './root-verifier.ts';
import { TileTree } from './tile-tree.ts';
import { verifierKey } from './verifier-key.ts';

/** Reads a log as whoever reads the audit database does. */
async function verifyLog(
  log: SmallLog,
  options: Partial<LogVerifierOptions> & { size?: number; noTiles?: boolean } = {},
): Promise<LogReport> {
  const verifier = new LogVerifier({ hash: sha256Into, verify: verifyEd25519, ...options });
  for (const { level, index, hashes } of log.tiles) if (!options.noTiles) verifier.tile(level, index, hashes);
  for (const { text } of log.checkpoints) verifier.checkpoint(text);
  const bytes = new Uint8Array(600);
  for (const { record, payload, erased } of log.entries) {
    bytes.set(record, 1);
    verifier.entry(bytes, 1, 1 + record.length, payload, erased);
  }
  const report = await verifier.finish({ size: options.size ?? log.size, frontier: log.tree.frontier() });
  // Whatever is found: interrupted behind every tile, it finds the same.
  expect(await verifyInParts(log, options)).toEqual(report);
  return report;
}

/** Reads a log as {@link verifyLog} does, each tile by another verifier, which continues the one before. */
async function verifyInParts(
  log: SmallLog,
  options: Partial<LogVerifierOptions> & { size?: number; noTiles?: boolean },
): Promise<LogReport> {
  const begun = (saved?: LogVerifierState) =>
    new LogVerifier({ hash: sha256Into, verify: verifyEd25519, ...options, saved });
  const bytes = new Uint8Array(600);
  let verifier = begun();
  let at = 0;
  const give = (until: number): void => {
    const isHere = (end: number) => end > at && end <= until;
    for (const { level, index, hashes } of log.tiles)
      if (!options.noTiles && isHere((index + 1) * 256 ** (level + 1))) verifier.tile(level, index, hashes);
    for (const { size, text } of log.checkpoints)
      if (isHere(size) || (at === 0 && size === 0)) verifier.checkpoint(text);
    for (const { record, payload, erased } of log.entries) {
      const sequence = readU64Number(record, 2);
      if (sequence < at || sequence >= until) continue;
      bytes.set(record, 1);
      verifier.entry(bytes, 1, 1 + record.length, payload, erased);
    }
  };
  const last = log.entries.reduce((most, { record }) => Math.max(most, readU64Number(record, 2)), 0);
  for (let until = 256; until <= last; until += 256) {
    give(until);
    verifier.settleTiles(until);
    await verifier.settle();
    verifier = begun(structuredClone(verifier.save()));
    at = until;
  }
  give(Number.POSITIVE_INFINITY);
  return verifier.finish({ size: options.size ?? log.size, frontier: log.tree.frontier() });
}

const findings = async (...parameters: Parameters<typeof verifyLog>) =>
  (await verifyLog(...parameters)).findings;

function logOf(transactions: number, changes = 3): SmallLog {
  const log = SmallLog.start();
  for (let i = 0; i < transactions; i++) {
    log.transaction(changes);
    log.sign();
  }
  return log;
}

/** The entry under another sequence: what somebody who renumbers does. */
function renumber(log: SmallLog, from: number, to: number): SmallLog['entries'][number] {
  const entry = log.entries[from]!;
  const record = entry.record.slice();
  writeU64Number(record, 2, to);
  return { ...entry, record };
}

const alter = (log: SmallLog, sequence: number, at = -1) => {
  const record = log.entries[sequence]!.record.slice();
  record[at < 0 ? record.length + at : at]! ^= 1;
  log.entries[sequence]!.record = record;
};

describe('a log that is as it was written', () => {
  it('has no findings, at every size', async () => {
    for (const transactions of [0, 1, 50, 51, 52, 200]) {
      const log = logOf(transactions);
      const report = await verifyLog(log, { keys: [log.key], outside: [log.checkpoints[0]!.text] });
      expect(report).toEqual({
        findings: [],
        notices: [],
        entries: log.size,
        logId: LOG_ID,
        provenSize: 3,
        signedSize: log.size,
      });
    }
  });

  it('may have events within a transaction, an actor, no context, opaque entries, erased ones', async () => {
    const log = SmallLog.start();
    log.transaction(2, { contexts: 0 });
    log.transaction(1, { commit: { hasActor: true } });
    const first = log.transaction(3);
    log.push({ record: Uint8Array.of(9, 9, 0, 0, 0, 0, 0, 0, 0, log.size, 1, 2), fields: null });
    log.event('something-new', ['not an object']);
    log.transaction(1);
    log.event('erasure', { entries: [[first, first + 1]], reason: 'r', by: 'b' });
    log.sign();
    for (const sequence of [first, first + 1]) log.entries[sequence]!.erased = true;
    expect(await verifyLog(log)).toMatchObject({
      findings: [],
      notices: [{ code: 'opaque-entries', count: 1 }],
    });
  });

  it('may lack what retention dropped, and nothing else', async () => {
    const log = logOf(200);
    const before = 3 + 100 * 5;
    log.event('retention', { before, olderThan: '2020-01-01T00:00:00Z', by: 'b' });
    log.sign();
    const { entries } = log;
    log.entries = entries.filter((_, sequence) => sequence < 3 || sequence >= before);
    expect(await verifyLog(log, { size: entries.length })).toMatchObject({
      findings: [],
      notices: [{ code: 'entries-dropped', before }],
      signedSize: entries.length,
    });
    log.entries = entries.filter((_, sequence) => sequence < 3 || sequence >= before + 2);
    expect(await findings(log, { size: entries.length })).toEqual([
      { code: 'missing', sequence: before, count: 2 },
    ]);
    log.entries = entries.filter((_, sequence) => sequence >= before);
    expect(await findings(log, { size: entries.length })).toContainEqual({
      code: 'missing',
      sequence: 0,
      count: before,
    });
  });
});

describe('altered entries', () => {
  it('are named where a stored tile tells', async () => {
    for (const sequence of [0, 3, 100, 255, 256, 300, 511]) {
      const log = logOf(200);
      alter(log, sequence);
      expect(await findings(log)).toEqual([{ code: 'altered', sequence, count: 1 }]);
    }
  });

  it('are named in any byte, header or commitment', async () => {
    for (const at of [10, 26, 30, 34, 42, 60]) {
      const log = logOf(100);
      alter(log, 4, at);
      expect(await findings(log)).toContainEqual({ code: 'altered', sequence: 4, count: 1 });
    }
  });

  it('are named with both checkpoints around them behind the last full tile', async () => {
    const log = logOf(60);
    alter(log, 270);
    expect(await findings(log)).toEqual([{ code: 'altered', sequence: 268, count: 5 }]);
  });

  it('are found where the tile was altered alike', async () => {
    const log = logOf(100);
    alter(log, 100);
    log.tiles[0]!.hashes.set(leafHash(sha256Into, log.entries[100]!.record), 100 * 32);
    expect(await findings(log)).toContainEqual({ code: 'altered', sequence: 98, count: 5 });
  });

  it('a tile is named where the entries are right', async () => {
    const log = logOf(200);
    log.tiles[1]!.hashes[77]! ^= 1;
    expect(await findings(log)).toEqual([{ code: 'tile-altered', level: 0, index: 1 }]);
    expect(await findings(logOf(200), { noTiles: true })).toEqual(
      [0, 1, 2].map((index) => ({ code: 'tile-missing', level: 0, index })),
    );
  });

  it('tiles above are compared too', { timeout: 120_000 }, async () => {
    const log = SmallLog.start();
    log.transaction(65_600);
    log.sign();
    expect(await findings(log)).toEqual([]);
    const upper = log.tiles.find(({ level }) => level === 1)!;
    upper.hashes[0]! ^= 1;
    expect(await findings(log)).toEqual([{ code: 'tile-altered', level: 1, index: 0 }]);
    log.tiles = log.tiles.filter(({ level }) => level === 0);
    expect(await findings(log)).toEqual([{ code: 'tile-missing', level: 1, index: 0 }]);
  });
});

describe('ranges', () => {
  it('are verified apart, and their outcomes put together', async () => {
    const log = logOf(300);
    alter(log, 700);
    const outcomes: TileOutcome[] = [];
    for (const start of [1024, 0, 512]) {
      const range = new LeafVerifier(sha256Into, start, (outcome) => outcomes.push(outcome));
      for (const { level, index, hashes } of log.tiles)
        if (level === 0 && index >= start / 256) range.tile(index, hashes);
      for (const { record } of log.entries.slice(start, start === 1024 ? undefined : start + 512))
        range.entry(record, 0, record.length);
      range.finish();
    }
    const roots: string[] = [];
    const verifier = new RootVerifier(sha256Into, ({ root }) => roots.push(root));
    for (const { text } of log.checkpoints)
      verifier.expect({ checkpoint: parseCheckpoint(text), outside: false });
    for (const outcome of outcomes.sort((a, b) => a.index - b.index)) verifier.tile(outcome);
    expect(verifier.finish(log.tree.frontier())).toEqual([]);
    expect(verifier.findings).toEqual([{ code: 'altered', sequence: 700, count: 1 }]);
    expect(roots).toEqual(log.checkpoints.map(() => 'same'));
    expect(() => new LeafVerifier(sha256Into, 100, () => {})).toThrow(RangeError);
  });

  it('a checkpoint that comes too late is refused', () => {
    const verifier = new LogVerifier({ hash: sha256Into, verify: verifyEd25519 });
    const log = logOf(100);
    for (const { record, payload } of log.entries) verifier.entry(record, 0, record.length, payload);
    expect(() => verifier.checkpoint(log.checkpoints[0]!.text)).toThrow(RangeError);
  });
});

describe('entries out of place', () => {
  it('missing ones are counted', async () => {
    const log = logOf(200);
    const { length } = log.entries;
    log.entries.splice(100, 3);
    expect(await findings(log, { size: length })).toEqual([{ code: 'missing', sequence: 100, count: 3 }]);
  });

  it('missing ones at the end are seen', async () => {
    const log = logOf(60);
    const { length } = log.entries;
    log.entries.splice(-5, 5);
    expect(await findings(log, { size: length })).toContainEqual({
      code: 'missing',
      sequence: length - 5,
      count: 5,
    });
    expect(await findings(log, { size: length })).toContainEqual({
      code: 'rolled-back',
      size: length,
      entries: length - 5,
      outside: false,
    });
  });

  it("tiles beyond the end are not the log's", async () => {
    const log = logOf(60);
    const { length } = log.entries;
    log.entries.splice(200);
    log.checkpoints.splice(40);
    expect(await findings(log, { size: length })).toContainEqual({
      code: 'tile-altered',
      level: 0,
      index: 0,
    });
  });

  it('a transaction that begins after a hole is checked whole', async () => {
    const log = logOf(60);
    log.transaction(2, { commit: { changeCount: 9 } });
    log.sign();
    const { length } = log.entries;
    log.entries.splice(length - 9, 5);
    expect(await findings(log, { size: length })).toContainEqual({
      code: 'broken-transaction',
      sequence: length - 1,
      rule: 'change-count',
    });
  });

  it('two that were exchanged are named, in a tile and between tiles', async () => {
    for (const [a, b] of [
      [4, 6],
      [100, 400],
      [255, 256],
    ] as const) {
      const log = logOf(200);
      [log.entries[a], log.entries[b]] = [renumber(log, b, a), renumber(log, a, b)];
      const found = await findings(log);
      expect(found).toContainEqual({ code: 'moved', sequence: a, from: b });
      expect(found).toContainEqual({ code: 'moved', sequence: b, from: a });
      expect(found.filter(({ code }) => code === 'altered')).toEqual([]);
    }
  });

  it('one that was taken out, the others closed up, is said to be missing', async () => {
    const log = logOf(300);
    const size = log.entries.length;
    log.entries = [
      ...log.entries.slice(0, 100),
      ...log.entries.slice(101).map((_, i) => renumber(log, 101 + i, 100 + i)),
    ];
    const found = await findings(log, { size });
    expect(found).toContainEqual({ code: 'missing', sequence: 100, count: 1 });
    expect(found.filter(({ code }) => code === 'altered' || code === 'moved')).toEqual([]);
  });

  it('one that was put in, the others pushed on, is said to be inserted', async () => {
    const log = logOf(300);
    const size = log.entries.length;
    const inserted = renumber(log, 99, 100);
    alter({ entries: [inserted] } as SmallLog, 0);
    log.entries = [
      ...log.entries.slice(0, 100),
      inserted,
      ...log.entries.slice(100).map((_, i) => renumber(log, 100 + i, 101 + i)),
    ];
    const found = await findings(log, { size });
    expect(found).toContainEqual({ code: 'inserted', sequence: 100, count: 1 });
    expect(found.filter(({ code }) => code === 'altered' || code === 'moved')).toEqual([]);
  });

  it('one that stands twice is named', async () => {
    const log = logOf(60);
    log.entries.splice(50, 0, log.entries[49]!);
    expect(await findings(log, { size: log.size - 1 })).toEqual([{ code: 'duplicated', sequence: 49 }]);
  });

  it('more than were signed are unsigned', async () => {
    const log = logOf(60);
    const signed = log.size;
    log.transaction(1);
    expect(await findings(log)).toEqual([{ code: 'unsigned', sequence: signed, count: 3 }]);
    expect(await findings(log, { size: signed })).toContainEqual({
      code: 'inserted',
      sequence: signed,
      count: 3,
    });
  });
});

describe('checkpoints', () => {
  it('from outside prove what they cover, and tell a log that was cut or written anew', async () => {
    const log = logOf(100);
    const outside = log.checkpoints[60]!;
    expect(await verifyLog(log, { outside: [outside.text], keys: [log.key] })).toMatchObject({
      findings: [],
      provenSize: outside.size,
    });

    const cut = logOf(50);
    expect(await findings(cut, { outside: [outside.text] })).toEqual([
      { code: 'rolled-back', size: outside.size, entries: cut.size, outside: true },
    ]);

    const anew = SmallLog.start();
    anew.transaction(4);
    anew.sign();
    for (let i = 0; i < 100; i++) anew.transaction(3);
    anew.sign();
    const report = await verifyLog(anew, { outside: [outside.text], keys: [log.key] });
    expect(report).toMatchObject({
      findings: [{ code: 'forked', size: outside.size, outside: true }],
      provenSize: 0,
    });
  });

  it('that a known key signed count, whatever keys the log has now', async () => {
    const log = logOf(20);
    const anew = SmallLog.start(keyOfSeed(9));
    for (let i = 0; i < 30; i++) anew.transaction(3);
    anew.sign();
    const outside = log.checkpoints[10]!;
    expect(await findings(anew, { outside: [outside.text], keys: [log.key] })).toEqual([
      { code: 'forked', size: outside.size, outside: true },
      { code: 'untrusted-key', sequence: 1 },
    ]);
  });

  it('are signed by the key in force', async () => {
    const log = logOf(3);
    const other = keyOfSeed(9);
    const tree = new TileTree(sha256Into);
    for (const { record } of log.entries) tree.append(leafHash(sha256Into, record), 1);
    const head = { origin: log.key.name, size: log.size, root: tree.root() };
    const otherKey = verifierKey(sha256Into, head.origin, rawPublicKey(other));
    const forged = signCheckpoint(head, otherKey, signerOf(other));
    log.checkpoints.push({ size: log.size, text: forged });
    expect(await findings(log)).toEqual([
      { code: 'wrong-key', size: log.size, reason: 'unsigned', outside: false },
    ]);
    const { text } = log.checkpoints[1]!;
    log.checkpoints = [
      ...log.checkpoints.slice(0, 1),
      { size: 8, text: text.replace('\n8\n', '\n7\n') },
      ...log.checkpoints.slice(2, -1),
    ];
    expect(await findings(log)).toEqual([{ code: 'wrong-key', size: 7, reason: 'invalid', outside: false }]);
    expect(await findings(logOf(1), { keys: [otherKey] })).toEqual([{ code: 'untrusted-key', sequence: 1 }]);
    expect(await findings(logOf(1), { outside: ['nonsense'] })).toMatchObject([
      { code: 'malformed-checkpoint', outside: true },
    ]);
  });

  it('of another log are told', async () => {
    const log = logOf(2);
    const origin = `bemi/${'0'.repeat(32)}/1`;
    const key = verifierKey(sha256Into, origin, log.key.publicKey);
    const text = signCheckpoint({ origin, size: 3, root: new Uint8Array(32) }, key, signerOf(log.privateKey));
    expect(await findings(log, { outside: [text] })).toEqual([
      { code: 'other-log', logId: '0'.repeat(32), expected: LOG_ID },
    ]);
  });

  it('follow a rotation of the key, signed by the one before', async () => {
    const rotate = (sign: 'previous' | 'next') => {
      const log = logOf(2);
      const next = keyOfSeed(2);
      const rotation = {
        logId: LOG_ID,
        previous: rawPublicKey(log.privateKey),
        publicKey: rawPublicKey(next),
      };
      const signature = signRotation(rotation, signerOf(sign === 'previous' ? log.privateKey : next));
      const sequence = log.event('key', {
        event: 'rotated',
        publicKey: encodeBase64(rotation.publicKey),
        previous: encodeBase64(rotation.previous),
        signature: encodeBase64(signature),
      });
      return { log, next, sequence };
    };
    const good = rotate('previous');
    good.log.privateKey = good.next;
    good.log.sign();
    expect(await findings(good.log)).toEqual([]);
    const late = rotate('previous');
    late.log.sign();
    expect(await findings(late.log)).toContainEqual({
      code: 'wrong-key',
      size: late.log.size,
      reason: 'unsigned',
      outside: false,
    });
    const forged = rotate('next');
    forged.log.privateKey = forged.next;
    forged.log.sign();
    expect(await findings(forged.log)).toEqual([{ code: 'bad-rotation', sequence: forged.sequence }]);
  });

  it('a lost key is reported', async () => {
    const log = logOf(2);
    const next = keyOfSeed(2);
    const sequence = log.event('key', {
      event: 'replaced',
      publicKey: encodeBase64(rawPublicKey(next)),
      previous: encodeBase64(rawPublicKey(log.privateKey)),
      reason: 'lost',
      by: 'b',
    });
    log.privateKey = next;
    log.sign();
    expect(await verifyLog(log)).toMatchObject({
      findings: [],
      notices: [{ code: 'key-replaced', sequence }],
    });
  });

  it('one that a gap gave up is no fork', async () => {
    const longer = logOf(20);
    const lost = longer.checkpoints.at(-1)!.text;
    const log = logOf(10);
    const sequence = log.event('gap', {
      generation: 2,
      fromLsn: '0/2000',
      toLsn: '0/9000',
      reason: 'restored',
      by: 'b',
      lost,
    });
    log.generation = 2;
    log.continueFrom(0x9000n);
    log.transaction(2);
    log.sign();
    const report = await verifyLog(log, { outside: [lost] });
    expect(report.findings).toEqual([]);
    expect(report.notices.map(({ code }) => code)).toEqual(['gap-accepted', 'checkpoint-given-up']);
    expect(report.notices[0]).toMatchObject({ sequence });
    // So are those before it, which it includes; not one beyond, and not another one of its size.
    const before = longer.checkpoints.filter(({ size }) => size > sequence).map(({ text }) => text);
    expect(before.length).toBeGreaterThan(3);
    expect(await findings(log, { outside: before })).toEqual([]);
    const beyond = logOf(21).checkpoints.at(-1)!;
    expect(await findings(log, { outside: [beyond.text] })).toEqual([
      { code: 'forked', size: beyond.size, outside: true },
    ]);
    const other = logOf(19);
    other.transaction(2);
    other.event('alive', {});
    expect(await findings(log, { outside: [other.sign()] })).toEqual([
      { code: 'forked', size: longer.size, outside: true },
    ]);
  });
});

describe('what the records say', () => {
  const cases: [string, (log: SmallLog) => Finding | Finding[]][] = [
    [
      'a wrong number of changes',
      (log) => {
        log.transaction(2, { commit: { changeCount: 3 } });
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'change-count' };
      },
    ],
    [
      'a wrong number of contexts',
      (log) => {
        log.transaction(2, { commit: { contextCount: 2 } });
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'context-count' };
      },
    ],
    [
      'a context that is not there',
      (log) => {
        log.transaction(1, { change: { contextNumber: 1 } });
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'no-such-context' };
      },
    ],
    [
      'another transaction number',
      (log) => {
        log.transaction(1, { commit: { transaction: 1 } });
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'number' };
      },
    ],
    [
      'another number of a transaction that only has its commit',
      (log) => {
        log.transaction(0, { contexts: 0 }); // of DDL alone: well
        log.transaction(0, { contexts: 0, commit: { transaction: 3 } });
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'number' };
      },
    ],
    [
      'changes that a transaction which only has its commit says it has',
      (log) => {
        log.transaction(0, { contexts: 0, commit: { changeCount: 1 } });
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'change-count' };
      },
    ],
    [
      'context numbers that do not count',
      (log) => {
        log.transaction(1, { context: { contextNumber: 1 } });
        return { code: 'broken-transaction', sequence: 3, rule: 'context-numbers' };
      },
    ],
    [
      'a transaction that says it began before',
      (log) => {
        log.transaction(1, { contexts: 0, change: { transaction: 2 }, commit: { transaction: 2 } });
        return { code: 'broken-transaction', sequence: 3, rule: 'number' };
      },
    ],
    [
      'WAL that an event explained once',
      (log) => {
        log.event('skip', { fromLsn: '0/1000', toLsn: '0/1234', reason: 'r', by: 'b' });
        log.continueFrom(0x1234n);
        log.transaction(1);
        log.transaction(1, { commit: { coveredFromLsn: 0x1234n } });
        return { code: 'coverage-gap', sequence: log.size - 1, fromLsn: '0/123D', toLsn: '0/1234' };
      },
    ],
    [
      'a second first key',
      (log) => ({
        code: 'malformed-event',
        sequence: log.event('key', { event: 'created', publicKey: encodeBase64(new Uint8Array(32)) }),
        eventKind: 'key',
      }),
    ],
    [
      'a rotation that some other key signed',
      (log) => {
        const [other, next] = [keyOfSeed(4), keyOfSeed(5)];
        const rotation = { logId: LOG_ID, previous: rawPublicKey(other), publicKey: rawPublicKey(next) };
        const sequence = log.event('key', {
          event: 'rotated',
          publicKey: encodeBase64(rotation.publicKey),
          previous: encodeBase64(rotation.previous),
          signature: encodeBase64(signRotation(rotation, signerOf(other))),
        });
        log.privateKey = next;
        return { code: 'bad-rotation', sequence };
      },
    ],
    [
      'a generation that does not grow',
      (log) => ({
        code: 'wrong-generation',
        sequence: log.event('gap', { generation: 1, fromLsn: '0/1000', toLsn: '0/2000' }),
        generation: 1,
        expected: 2,
      }),
    ],
    [
      'no commit',
      (log) => {
        log.transaction(2);
        const entry = renumber(log, 4, log.size);
        writeU64Number(entry.record, 10, log.size);
        log.push(entry);
        return { code: 'broken-transaction', sequence: log.size - 1, rule: 'no-commit' };
      },
    ],
    [
      'a relation that no event describes',
      (log) => {
        const sequence = log.transaction(1, { change: { relation: 1 } });
        return { code: 'unknown-relation', sequence, relation: 1 };
      },
    ],
    [
      'WAL that is not covered',
      (log) => {
        log.transaction(1, { commit: { coveredFromLsn: 0x1234n } });
        return { code: 'coverage-gap', sequence: log.size - 1, fromLsn: '0/1000', toLsn: '0/1234' };
      },
    ],
    [
      'another generation',
      (log) => {
        log.transaction(1, { commit: { generation: 2 } });
        return { code: 'wrong-generation', sequence: log.size - 1, generation: 2, expected: 1 };
      },
    ],
    [
      'a rotation by another key than the one in force',
      (log) => {
        const some = encodeBase64(new Uint8Array(32).fill(1));
        const sequence = log.event('key', {
          event: 'rotated',
          publicKey: some,
          previous: some,
          signature: some,
        });
        return [
          { code: 'wrong-key', size: log.size, reason: 'unsigned', outside: false },
          { code: 'unsigned', sequence: 3, count: 1 },
          { code: 'bad-rotation', sequence },
        ];
      },
    ],
    [
      'an event without what it must say',
      (log) => ({ code: 'malformed-event', sequence: log.event('gap', {}), eventKind: 'gap' }),
    ],
    [
      'an erased entry that no event names',
      (log) => {
        const sequence = log.transaction(3);
        for (const at of [sequence, sequence + 1, sequence + 2]) log.entries[at]!.erased = true;
        log.event('erasure', { entries: [[sequence + 1, sequence + 1]] });
        return [
          { code: 'erased-without-event', sequence, count: 1 },
          { code: 'erased-without-event', sequence: sequence + 2, count: 1 },
        ];
      },
    ],
  ];
  it.each(cases)('%s', async (_name, make) => {
    const log = SmallLog.start();
    const expected = make(log);
    log.sign();
    expect(await findings(log)).toEqual(Array.isArray(expected) ? expected : [expected]);
  });

  it('a skip explains what is not covered', async () => {
    const log = SmallLog.start();
    log.event('skip', { fromLsn: '0/1000', toLsn: '0/1234', reason: 'r', by: 'b' });
    log.continueFrom(0x1234n);
    log.transaction(1);
    log.sign();
    expect(await verifyLog(log)).toMatchObject({
      findings: [],
      notices: [{ code: 'wal-skipped', fromLsn: '0/1000', toLsn: '0/1234' }],
    });
  });

  it('an event that is missing where retention has dropped the entries around it', async () => {
    const log = logOf(100);
    log.event('alive', {});
    for (let i = 0; i < 100; i++) log.transaction(3);
    const before = 3 + 150 * 5;
    const events = log.entries.filter(({ record }, at) => record[1] === 4 && at < before).length;
    log.event('retention', { before, events, olderThan: '2020-01-01T00:00:00Z', by: 'b' });
    log.sign();
    const { entries } = log;
    const size = entries.length;
    log.entries = entries.filter(({ record }, at) => record[1] === 4 || at >= before);
    expect(await findings(log, { size })).toEqual([]);
    const alive = 3 + 100 * 5;
    log.entries = log.entries.filter(({ record }) => record !== entries[alive]!.record);
    expect(await findings(log, { size })).toEqual([
      { code: 'events-missing', sequence: size - 1, before, count: 1 },
    ]);
  });

  it('retention that drops what the log said it keeps', async () => {
    const dayMs = 86_400_000;
    const now = Date.UTC(2000, 0, 1, 0, 0, 1); // of all events of a SmallLog
    const daysAgo = (days: number) => new Date(now - days * dayMs).toISOString();
    const set = (days: number) => ({ event: 'retention-set', days, effectiveAt: daysAgo(0), by: 'b' });
    const after = (configs: object[], days: number) => {
      const log = SmallLog.start();
      for (const config of configs) log.event('config', config);
      log.event('retention', { before: 0, events: 0, olderThan: daysAgo(days), by: 'b' });
      log.sign();
      return findings(log);
    };
    expect(await after([], 1)).toEqual([]);
    expect(await after([set(30)], 31)).toEqual([]);
    expect(await after([set(30)], 29)).toMatchObject([{ code: 'dropped-early', days: 30 }]);
    expect(await after([set(30), set(10)], 20)).toMatchObject([{ code: 'dropped-early', days: 30 }]);
    const ofTable = { ...set(40), schema: 'public', table: 'invoice' };
    expect(await after([set(30), ofTable], 35)).toMatchObject([{ code: 'dropped-early', days: 40 }]);
  });

  it('retention drops nothing that comes after it', async () => {
    const log = SmallLog.start();
    log.event('retention', { before: 1000, olderThan: '2020-01-01T00:00:00Z', by: 'b' });
    for (let i = 0; i < 60; i++) log.transaction(3);
    log.sign();
    const { length } = log.entries;
    log.entries.splice(50, 5);
    expect(await findings(log, { size: length })).toEqual([{ code: 'missing', sequence: 50, count: 5 }]);
  });

  it('another start is no log', async () => {
    const log = new SmallLog();
    log.event('relation', {});
    log.event('key', { event: 'rotated' });
    log.sign();
    const found = await findings(log);
    expect(found.filter(({ code }) => code === 'broken-start')).toEqual([
      { code: 'broken-start', sequence: 0 },
      { code: 'broken-start', sequence: 1 },
    ]);
  });
});

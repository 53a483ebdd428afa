import { createHash, createPrivateKey, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBase64 } from './base64.ts';
import { parseCheckpoint, signCheckpoint, verifySignatures } from './checkpoint.ts';
import { commitmentOf, encodeFields } from './commitment.ts';
import { verifyConsistency } from './consistency-proof.ts';
import { verifyInclusion } from './inclusion-proof.ts';
import { ed25519PrivateKey, sha256Into, signerOf, verifyEd25519 } from './node-crypto.ts';
import { type DecodedRecord, decodeRecord } from './record.ts';
import {
  recordOf,
  writeChangeRecord,
  writeCommitRecord,
  writeContextRecord,
  writeEventRecord,
} from './record-writer.ts';
import { parseTilePath } from './tile-path.ts';
import { parseTlogProof } from './tlog-proof.ts';
import { parseVerifierKey } from './verifier-key.ts';

// The vectors are checked by encoders that were written from docs/spec/ and share nothing with src/.

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../docs/spec/vectors/${name}.json`, import.meta.url), 'utf8'));
const sha256 = (...parts: Uint8Array[]) => {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
};
const unhex = (text: string) => Buffer.from(text, 'hex');

type Json = Record<string, string | number | boolean>;
const u8 = (n: unknown) => Buffer.of(Number(n));
const u16 = (n: unknown) => unhex(Number(n).toString(16).padStart(4, '0'));
const u32 = (n: unknown) => unhex(Number(n).toString(16).padStart(8, '0'));
const u64 = (n: unknown) =>
  unhex(
    BigInt.asUintN(64, BigInt(String(n)))
      .toString(16)
      .padStart(16, '0'),
  );
const ascii = (text: string) => Buffer.from(text, 'latin1');

function naiveRecord(kind: string, h: Json, commitment: Uint8Array): Buffer {
  const head = (code: number) => [u8(1), u8(code), u64(h['sequence'])];
  const flag = (name: string) => (h[name] ? 1 : 0);
  switch (kind) {
    case 'change':
      return Buffer.concat([
        ...head(1),
        u64(h['transaction']),
        u64(h['relation']),
        u64(h['lsn']),
        u32(h['contextNumber']),
        ascii(String(h['operation'])[0]!),
        ascii(String(h['beforeKind'])[0]!),
        u16(flag('quarantined')),
        commitment,
      ]);
    case 'context':
      return Buffer.concat([
        ...head(2),
        u64(h['transaction']),
        u32(h['contextNumber']),
        ascii(String(h['authenticity'])[0]!),
        u16(flag('quarantined')),
        commitment,
      ]);
    case 'commit':
      return Buffer.concat([
        ...head(3),
        u64(h['transaction']),
        u32(h['generation']),
        u64(h['commitLsn']),
        u64(h['endLsn']),
        u64(h['coveredFromLsn']),
        u64(h['xid']),
        u64(h['committedAt']),
        u64(h['recordedAt']),
        u64(h['changeCount']),
        u32(h['contextCount']),
        u32(flag('hasActor')),
        commitment,
      ]);
    default: {
      const name = Buffer.from(String(h['eventKind']));
      return Buffer.concat([...head(4), u64(h['at']), u8(name.length), name, commitment]);
    }
  }
}

type FieldJson = null | { utf8: string } | { hex: string };
const fieldBytes = (field: Exclude<FieldJson, null>) =>
  'utf8' in field ? Buffer.from(field.utf8) : unhex(field.hex);
const naiveFields = (fields: FieldJson[]) =>
  Buffer.concat(
    fields.flatMap((field) =>
      field === null ? [unhex('ffffffff')] : [u32(fieldBytes(field).length), fieldBytes(field)],
    ),
  );

const BIGINTS = ['lsn', 'commitLsn', 'endLsn', 'coveredFromLsn', 'xid', 'committedAt', 'recordedAt', 'at'];
const revive = (header: Json) =>
  Object.fromEntries(
    Object.entries(header).map(([name, value]) => [
      name,
      BIGINTS.includes(name) ? BigInt(value as string) : value,
    ]),
  ) as never;
const WRITERS = {
  change: writeChangeRecord,
  context: writeContextRecord,
  commit: writeCommitRecord,
  event: writeEventRecord,
} as Record<string, (target: Uint8Array, at: number, header: never) => number>;
const LENGTHS: Record<string, number> = { change: 74, context: 57, commit: 118 };

interface RecordVector {
  readonly name: string;
  readonly kind: string;
  readonly header: Json;
  readonly fields: FieldJson[] | null;
  readonly commitment: string;
  readonly record: string;
  readonly leafHash: string;
}

describe('record.json', () => {
  const { records } = read('record');
  const known = records.filter((vector: { kind: string }) => vector.kind !== 'opaque');

  it.each<RecordVector>(known)('$name', (vector) => {
    const { kind, header, fields, commitment, record, leafHash } = vector;
    const naiveCommitment = fields === null ? Buffer.alloc(32) : sha256(naiveFields(fields));
    const naive = naiveRecord(kind, header, naiveCommitment);
    expect(naiveCommitment.toString('hex')).toBe(commitment);
    expect(naive.toString('hex')).toBe(record);
    expect(sha256(u8(0), naive).toString('hex')).toBe(leafHash);
    expect(naive.length).toBe(LENGTHS[kind] ?? 51 + Buffer.byteLength(String(header['eventKind'])));

    if (fields !== null) {
      const list = fields.map((field) => field && new Uint8Array(fieldBytes(field)));
      expect(Buffer.from(encodeFields(list))).toEqual(naiveFields(fields));
      expect(Buffer.from(commitmentOf(sha256Into, list)).toString('hex')).toBe(commitment);
    }
    const ours = recordOf(WRITERS[kind]!, revive(header), new Uint8Array(naiveCommitment));
    expect(Buffer.from(ours).toString('hex')).toBe(record);
    // At an offset too, and over bytes that stood there before.
    const target = new Uint8Array(600).fill(0xee);
    const end = WRITERS[kind]!(target, 9, revive(header));
    target.set(naiveCommitment, end - 32);
    expect(Buffer.from(target.slice(9, end)).toString('hex')).toBe(record);
    expect([target[8], target[end]]).toEqual([0xee, 0xee]);

    const {
      kind: decodedKind,
      commitment: decodedCommitment,
      ...decoded
    } = decodeRecord(ours) as Exclude<DecodedRecord, { kind: 'opaque' }>;
    expect(decodedKind).toBe(kind);
    expect(decoded).toEqual(revive(header));
    expect(Buffer.from(decodedCommitment).toString('hex')).toBe(commitment);
    // One byte more or less is no record.
    expect(() => decodeRecord(ours.slice(0, -1))).toThrow('bytes');
    expect(() => decodeRecord(Uint8Array.of(...ours, 0))).toThrow('bytes');
  });

  it('opaque records are passed over, not refused', () => {
    const opaque = records.filter((vector: { kind: string }) => vector.kind === 'opaque');
    expect(opaque).toHaveLength(2);
    for (const { record, leafHash, sequence } of opaque) {
      expect(sha256(u8(0), unhex(record)).toString('hex')).toBe(leafHash);
      expect(decodeRecord(new Uint8Array(unhex(record)))).toEqual({
        kind: 'opaque',
        sequence,
        bytes: new Uint8Array(unhex(record)),
      });
    }
  });

  it('cover every kind, authenticity, operation and state', () => {
    const headers = known.map(({ header }: { header: Json }) => header);
    const values = (name: string) =>
      new Set(headers.map((header: Json) => header[name]).filter((v: unknown) => v !== undefined));
    expect(values('operation').size).toBe(4);
    expect(values('beforeKind').size).toBe(3);
    expect(values('authenticity').size).toBe(5);
    expect(values('quarantined').size).toBe(2);
    expect(values('hasActor').size).toBe(2);
  });

  it('unknown bytes in a known record are refused', () => {
    const change = new Uint8Array(unhex(records[0].record));
    expect(() => decodeRecord(change.with(38, 0x58))).toThrow('operation, at offset 38');
    expect(() => decodeRecord(change.with(39, 0x58))).toThrow('offset 39');
    expect(() => decodeRecord(change.with(41, 2))).toThrow('offset 40');
    expect(() => decodeRecord(change.with(2, 0x20))).toThrow('below 2^53; at offset 2');
    const commit = new Uint8Array(unhex(records.find(({ name }: Json) => name === 'commit').record));
    expect(() => decodeRecord(commit.with(90, 1))).toThrow('zero bytes');
    const event = new Uint8Array(unhex(records.find(({ name }: Json) => name === 'event').record));
    expect(() => decodeRecord(event.with(18, 0))).toThrow('offset 18');
    expect(() => decodeRecord(event.with(19, 0xff))).toThrow('UTF-8');
    expect(() => writeChangeRecord(new Uint8Array(73), 0, revive(records[0].header))).toThrow(RangeError);
    expect(() => recordOf(writeEventRecord, { sequence: -1, at: 0n, eventKind: 'x' })).toThrow(RangeError);
    expect(() => recordOf(writeEventRecord, { sequence: 0, at: 0n, eventKind: '' })).toThrow(RangeError);
  });
});

describe('log.json', () => {
  const log = read('log');
  const leaves = Array.from({ length: 65_537 }, (_, n) =>
    sha256(
      u8(0),
      naiveRecord('event', { sequence: n, at: n * 1e6, eventKind: 'alive' }, sha256(ascii(String(n)))),
    ),
  );
  // Hashes of the level above, an odd one carried up: the same tree as RFC 6962's, built from below.
  const above = (hashes: Buffer[]) =>
    hashes.flatMap((left, i) =>
      i % 2 === 1 ? [] : hashes[i + 1] === undefined ? [left] : [sha256(u8(1), left, hashes[i + 1]!)],
    );
  const root = (hashes: Buffer[]): Buffer =>
    hashes.length === 0 ? sha256() : hashes.length === 1 ? hashes[0]! : root(above(hashes));
  const rootOf = (from: number, to: number) => root(leaves.slice(from, to));

  it('records, roots, frontiers', () => {
    for (const { sequence, leafHash } of log.records)
      expect(leaves[sequence]!.toString('hex')).toBe(leafHash);
    for (const tree of log.trees) {
      expect(rootOf(0, tree.size).toString('base64')).toBe(tree.root);
      const subtrees: Buffer[] = [];
      let at = 0;
      for (const [i, digit] of [...tree.size.toString(2)].entries()) {
        const width = 2 ** (tree.size.toString(2).length - 1 - i);
        if (digit === '1') subtrees.push(rootOf(at, at + width));
        if (digit === '1') at += width;
      }
      expect(Buffer.concat(subtrees).toString('hex')).toBe(tree.frontier);
    }
  });

  it('checkpoints, by Node alone and by us', async () => {
    const seedOf = (seed: string) =>
      createPrivateKey({
        key: Buffer.concat([unhex('302e020100300506032b657004220420'), unhex(seed)]),
        format: 'der',
        type: 'pkcs8',
      });
    const raw = createPublicKey(seedOf(log.keys.log.seed))
      .export({ format: 'der', type: 'spki' })
      .subarray(-32);
    const id = sha256(ascii(log.origin), u8(10), u8(1), raw).subarray(0, 4);
    const typed = Buffer.concat([u8(1), raw]).toString('base64');
    expect(log.keys.log.verifierKey).toBe(`${log.origin}+${id.toString('hex')}+${typed}`);
    const key = parseVerifierKey(sha256Into, log.keys.log.verifierKey)!;
    for (const { size, root: rootText, checkpoint } of log.trees) {
      const [text, line] = checkpoint.split('\n\n');
      expect(text).toBe(`${log.origin}\n${size}\n${rootText}`);
      const match = /^— (\S+) (\S+)\n$/.exec(line)!;
      const bytes = Buffer.from(match[2]!, 'base64');
      expect([match[1], bytes.subarray(0, 4)]).toEqual([log.origin, id]);
      expect(
        verify(null, Buffer.from(`${text}\n`), createPublicKey(seedOf(log.keys.log.seed)), bytes.subarray(4)),
      ).toBe(true);
      const parsed = parseCheckpoint(checkpoint);
      expect(await verifySignatures(parsed.note, [key], verifyEd25519)).toMatchObject({ valid: true });
      expect(signCheckpoint(parsed, key, signerOf(ed25519PrivateKey(unhex(log.keys.log.seed))))).toBe(
        checkpoint,
      );
    }
    const witness = parseVerifierKey(sha256Into, log.keys.witness.verifierKey)!;
    expect(
      await verifySignatures(parseCheckpoint(log.cosigned.checkpoint).note, [key, witness], verifyEd25519),
    ).toMatchObject({
      signatures: [{ key: { name: log.origin } }, { timestamp: BigInt(log.cosigned.timestamp) }],
    });
    const [, , previous] = log.rotation.statement.split('\n');
    expect(previous).toBe(raw.toString('base64'));
    expect(
      verify(
        null,
        Buffer.from(log.rotation.statement),
        createPublicKey(seedOf(log.keys.log.seed)),
        Buffer.from(log.rotation.signature, 'base64'),
      ),
    ).toBe(true);
  });

  it('tiles', () => {
    for (const tile of log.tiles) {
      const { level, index, width } = parseTilePath(tile.path)!;
      const span = 256 ** Number(level);
      const hashes = Buffer.concat(
        Array.from({ length: width }, (_, i) =>
          rootOf((index * 256 + i) * span, (index * 256 + i + 1) * span),
        ),
      );
      if (tile.hashes !== undefined) expect(hashes.toString('hex')).toBe(tile.hashes);
      else expect(sha256(hashes).toString('hex')).toBe(tile.sha256);
    }
  });

  it('proofs', () => {
    for (const { index, size, proof } of log.inclusion) {
      const { index: written, hashes } = parseTlogProof(proof);
      expect(written).toBe(index);
      expect(
        verifyInclusion(
          sha256Into,
          new Uint8Array(leaves[index]!),
          index,
          size,
          hashes,
          new Uint8Array(rootOf(0, size)),
        ),
      ).toBe(true);
    }
    for (const { oldSize, newSize, proof } of log.consistency)
      expect(
        verifyConsistency(
          sha256Into,
          oldSize,
          newSize,
          proof.map((node: string) => decodeBase64(node)!),
          new Uint8Array(rootOf(0, oldSize)),
          new Uint8Array(rootOf(0, newSize)),
        ),
      ).toBe(true);
  });
});

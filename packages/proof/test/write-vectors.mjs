// Writes docs/spec/vectors/record.json and log.json: after a build, `node packages/proof/test/write-vectors.mjs`.
// The tests check both files by encoders of their own. What they hold for version 1 never changes.
import { writeFileSync } from 'node:fs';
import { encodeBase64 } from '@bemi-db/proof/base64';
import { signCheckpoint } from '@bemi-db/proof/checkpoint';
import {
  changeFields,
  commitActorFields,
  commitmentOf,
  contextFields,
  eventFields,
} from '@bemi-db/proof/commitment';
import { consistencyProof } from '@bemi-db/proof/consistency-proof';
import { cosign } from '@bemi-db/proof/cosignature';
import { hashOf } from '@bemi-db/proof/hash';
import { inclusionProof } from '@bemi-db/proof/inclusion-proof';
import { rotationStatement, signRotation } from '@bemi-db/proof/key-rotation';
import { leafHash } from '@bemi-db/proof/merkle-tree';
import { ed25519PrivateKey, rawPublicKey, sha256Into, signerOf } from '@bemi-db/proof/node-crypto';
import {
  recordOf,
  writeChangeRecord,
  writeCommitRecord,
  writeContextRecord,
  writeEventRecord,
} from '@bemi-db/proof/record-writer';
import { formatSignatureLine } from '@bemi-db/proof/signed-note';
import { formatTilePath } from '@bemi-db/proof/tile-path';
import { TileTree } from '@bemi-db/proof/tile-tree';
import { formatTlogProof } from '@bemi-db/proof/tlog-proof';
import { COSIGNATURE_V1, formatVerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';

const utf8 = new TextEncoder();
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const sha256 = (bytes) => hashOf(sha256Into, bytes);
const jsonable = (_key, value) => (typeof value === 'bigint' ? String(value) : value);
const saltOf = (n) => new Uint8Array(16).fill(n);
const fieldJson = (field) =>
  field === null ? null : typeof field === 'string' ? { utf8: field } : { hex: hex(field) };

function vector(name, kind, header, fields, write, note) {
  const commitment = fields === null ? undefined : commitmentOf(sha256Into, fields);
  const record = recordOf(write, header, commitment);
  return {
    name,
    ...(note === undefined ? {} : { note }),
    kind,
    header,
    fields: fields?.map(fieldJson) ?? null,
    commitment: hex(commitment ?? new Uint8Array(32)),
    record: hex(record),
    leafHash: hex(leafHash(sha256Into, record)),
  };
}

const change = (name, header, texts, note) => {
  const whole = {
    sequence: 7,
    transaction: 5,
    relation: 2,
    lsn: 0x16b3748n,
    contextNumber: 0,
    operation: 'INSERT',
    beforeKind: 'none',
    quarantined: false,
    ...header,
  };
  const fields = changeFields({
    operation: whole.operation,
    salt: saltOf(0xa0),
    primaryKey: null,
    before: null,
    after: null,
    ...texts,
  });
  return vector(name, 'change', whole, fields, writeChangeRecord, note);
};
const context = (name, header, texts) => {
  const whole = {
    sequence: 5,
    transaction: 5,
    contextNumber: 0,
    authenticity: 'unsigned',
    quarantined: false,
    ...header,
  };
  const fields = contextFields({
    authenticity: whole.authenticity,
    salt: saltOf(0xb0),
    context: null,
    ...texts,
  });
  return vector(name, 'context', whole, fields, writeContextRecord);
};
const commitHeader = {
  sequence: 9,
  transaction: 5,
  generation: 1,
  commitLsn: 0x16b3790n,
  endLsn: 0x16b37c0n,
  coveredFromLsn: 0x16b3700n,
  xid: 0x1_0000_02ean,
  committedAt: 845_000_000_123_456n,
  recordedAt: 845_000_000_234_567n,
  changeCount: 3,
  contextCount: 1,
  hasActor: false,
};
const event = (name, header, texts) => {
  const whole = { sequence: 0, at: 844_999_999_000_000n, eventKind: 'lifecycle', ...header };
  const fields = eventFields({
    eventKind: whole.eventKind,
    salt: saltOf(0xd0),
    actor: null,
    payload: null,
    ...texts,
  });
  return vector(name, 'event', whole, fields, writeEventRecord);
};
const quarantine = { reason: 'U+0000 in a text', bytesHash: sha256(utf8.encode('{"name":"a\u0000b"}')) };

const opaque = (name, bytes) => ({
  name,
  kind: 'opaque',
  sequence: 11,
  record: hex(bytes),
  leafHash: hex(leafHash(sha256Into, bytes)),
});

const records = [
  change('insert', {}, { primaryKey: '1', after: '{"id":1,"name":"Ada"}' }),
  change(
    'update, full old row',
    { sequence: 8, operation: 'UPDATE', beforeKind: 'full', contextNumber: 1 },
    { primaryKey: '1', before: '{"name":"Ada"}', after: '{"id":1,"name":"Zoë"}' },
  ),
  change(
    'delete, key only',
    { operation: 'DELETE', beforeKind: 'key' },
    { primaryKey: '1', before: '{"id":1}' },
  ),
  change('truncate', { operation: 'TRUNCATE' }, {}),
  change('empty texts are not NULL', {}, { primaryKey: '', before: '', after: '' }),
  change(
    'largest numbers',
    {
      sequence: Number.MAX_SAFE_INTEGER,
      transaction: Number.MAX_SAFE_INTEGER - 1,
      relation: 4294967296,
      lsn: 0xffffffffffffffffn,
      contextNumber: 0xffffffff,
    },
    { after: '{}' },
  ),
  change('in quarantine', { quarantined: true }, { primaryKey: '1', quarantine }),
  change(
    'erased',
    {},
    { primaryKey: '2', after: '{"id":2,"name":"Bob"}' },
    'Once erased, fields and salt are gone: commitment, record and leaf hash stay.',
  ),
  context('context', {}, { context: '{"userId":"u-1"}' }),
  ...['authentic', 'forged', 'replayed', 'stale'].map((authenticity, i) =>
    context(
      `context, ${authenticity}`,
      { authenticity, contextNumber: i + 1 },
      { context: '{"userId":"u-1"}' },
    ),
  ),
  context('context in quarantine', { quarantined: true }, { quarantine }),
  vector('commit', 'commit', commitHeader, null, writeCommitRecord),
  vector(
    'commit, before 2000',
    'commit',
    { ...commitHeader, committedAt: -1n, recordedAt: -9223372036854775808n },
    null,
    writeCommitRecord,
  ),
  vector(
    'commit with an actor',
    'commit',
    { ...commitHeader, hasActor: true },
    commitActorFields(saltOf(0xc0), '{"provider":"p"}'),
    writeCommitRecord,
  ),
  event('event', {}, { actor: 'bemi', payload: '{"event":"created"}' }),
  event('event without actor and payload', { eventKind: 'é' }, {}),
  event('event, longest kind', { eventKind: 'x'.repeat(255) }, { payload: '{}' }),
  opaque('unknown kind', Uint8Array.of(1, 9, 0, 0, 0, 0, 0, 0, 0, 11, 1, 2, 3)),
  opaque('unknown version', Uint8Array.of(2, 1, 0, 0, 0, 0, 0, 0, 0, 11)),
];

const logId = '5f0c3a4e9b7d4c0f8a51d2c6e3b9a870';
const origin = `bemi/${logId}/1`;
const seeds = {
  log: new Uint8Array(32).fill(1),
  next: new Uint8Array(32).fill(2),
  witness: new Uint8Array(32).fill(3),
};
const keys = Object.fromEntries(Object.entries(seeds).map(([name, seed]) => [name, ed25519PrivateKey(seed)]));
const logKey = verifierKey(sha256Into, origin, rawPublicKey(keys.log));
const nextKey = verifierKey(sha256Into, origin, rawPublicKey(keys.next));
const witnessKey = verifierKey(sha256Into, 'witness.example/w1', rawPublicKey(keys.witness), COSIGNATURE_V1);

/** Record n of the vectors' log: a rule, so that the file is short and its trees are large. */
const ruleRecord = (n) =>
  recordOf(
    writeEventRecord,
    { sequence: n, at: BigInt(n) * 1_000_000n, eventKind: 'alive' },
    sha256(utf8.encode(String(n))),
  );

const sizes = [0, 1, 2, 3, 7, 255, 256, 257, 600, 65_536, 65_537];
const tiles = new Map();
const tree = new TileTree(sha256Into);
const trees = [];
for (let size = 0; size <= sizes.at(-1); size++) {
  if (sizes.includes(size))
    trees.push({
      size,
      root: encodeBase64(tree.root()),
      frontier: hex(tree.frontier()),
      checkpoint: signCheckpoint({ origin, size, root: tree.root() }, logKey, signerOf(keys.log)),
    });
  for (const tile of tree.append(leafHash(sha256Into, ruleRecord(size)), 1))
    tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
}
const leaf = (n) => leafHash(sha256Into, ruleRecord(n));
const reader = async (level, index, width) => {
  const full = tiles.get(`${level}/${index}`);
  if (full !== undefined) return full.slice(0, width * 32);
  if (level === 0) return Buffer.concat(Array.from({ length: width }, (_, i) => leaf(index * 256 + i)));
  return tree.state().partialTiles[level].slice(0, width * 32);
};
const tileVector = async (level, index, width) => {
  const hashes = await reader(level, index, width);
  return {
    path: formatTilePath({ level, index, width }),
    ...(width <= 4 ? { hashes: hex(hashes) } : { sha256: hex(sha256(hashes)) }),
  };
};
const signed600 = trees.find(({ size }) => size === 600).checkpoint;
const rotation = { logId, previous: logKey.publicKey, publicKey: nextKey.publicKey };

const log = {
  specification: 'docs/spec/log.md',
  description:
    'Record n of this log is an `alive` event of n seconds after 2000-01-01, with the SHA-256 of the decimal n as its commitment. Keys are given by their Ed25519 seeds.',
  logId,
  origin,
  keys: {
    log: { seed: hex(seeds.log), verifierKey: formatVerifierKey(logKey) },
    next: { seed: hex(seeds.next), verifierKey: formatVerifierKey(nextKey) },
    witness: { seed: hex(seeds.witness), verifierKey: formatVerifierKey(witnessKey) },
  },
  records: [0, 1, 599].map((n) => ({ sequence: n, record: hex(ruleRecord(n)), leafHash: hex(leaf(n)) })),
  trees,
  tiles: await Promise.all([
    tileVector(0, 0, 1),
    tileVector(0, 0, 3),
    tileVector(0, 0, 256),
    tileVector(0, 2, 88),
    tileVector(0, 255, 256),
    tileVector(0, 256, 1),
    tileVector(1, 0, 2),
    tileVector(1, 0, 256),
    tileVector(2, 0, 1),
  ]),
  inclusion: await Promise.all(
    [
      [0, 1],
      [255, 257],
      [256, 257],
      [300, 600],
      [65_536, 65_537],
    ].map(async ([index, size]) => {
      const hashes = await inclusionProof(sha256Into, index, size, reader);
      const { checkpoint } = trees.find((one) => one.size === size);
      return { index, size, proof: formatTlogProof({ index, hashes, checkpoint }) };
    }),
  ),
  consistency: await Promise.all(
    [
      [3, 7],
      [256, 257],
      [257, 600],
      [600, 65_537],
    ].map(async ([oldSize, newSize]) => ({
      oldSize,
      newSize,
      proof: (await consistencyProof(sha256Into, oldSize, newSize, reader)).map(encodeBase64),
    })),
  ),
  cosigned: {
    timestamp: '1679315147',
    checkpoint:
      signed600 + formatSignatureLine(cosign(signed600, 1679315147n, witnessKey, signerOf(keys.witness))),
  },
  rotation: {
    statement: new TextDecoder().decode(rotationStatement(rotation)),
    signature: encodeBase64(signRotation(rotation, signerOf(keys.log))),
  },
};

const write = (name, document) =>
  writeFileSync(
    new URL(`../../../docs/spec/vectors/${name}.json`, import.meta.url),
    `${JSON.stringify(document, jsonable, 2)}\n`,
  );
write('record', {
  specification: 'docs/spec/record.md',
  description: 'LSNs, xids and times are decimal texts; a field is NULL (null), text (utf8) or bytes (hex).',
  records,
});
write('log', log);

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { formatTreeHead, parseCheckpoint, signCheckpoint, verifySignatures } from './checkpoint.ts';
import { cosign } from './cosignature.ts';
import { rotationStatement, signRotation, verifyRotation } from './key-rotation.ts';
import {
  ed25519PrivateKey,
  privateKeyFromPem,
  privateKeyToPem,
  rawPublicKey,
  sha256Into,
  signerOf,
  verifyEd25519,
} from './node-crypto.ts';
import { formatOrigin, parseOrigin } from './origin.ts';
import { formatSignatureLine, formatSignedNote, NoteError, parseSignedNote } from './signed-note.ts';
import {
  COSIGNATURE_V1,
  formatKeyId,
  formatVerifierKey,
  parseVerifierKey,
  verifierKey,
} from './verifier-key.ts';

// golang.org/x/mod/sumdb/note, note_test.go (BSD-3-Clause): keys, and a note signed by both.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const PETER_SEED = 'AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE =
  '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

const peter = parseVerifierKey(sha256Into, PETER)!;
const enoch = parseVerifierKey(sha256Into, ENOCH)!;

describe('verifier keys', () => {
  it('are read and written', () => {
    expect(formatVerifierKey(peter)).toBe(PETER);
    expect(formatKeyId(enoch.id)).toBe('af0cfe78');
  });

  it('are refused where anything is amiss', () => {
    for (let i = 0; i <= PETER.length; i++)
      for (let j = i + 1; j <= PETER.length; j++)
        if (i !== 0 || j !== PETER.length)
          expect(parseVerifierKey(sha256Into, PETER.slice(i, j))).toBeUndefined();
    for (let i = 0; i < PETER.length; i++) {
      const next = String.fromCharCode(PETER.charCodeAt(i) + 1);
      expect(parseVerifierKey(sha256Into, PETER.slice(0, i) + next + PETER.slice(i + 1))).toBeUndefined();
    }
    // A key of the wrong length and an unknown type, each with the hash that would be right.
    for (const key of [
      'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
      'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    ])
      expect(parseVerifierKey(sha256Into, key)).toBeUndefined();
    expect(() => verifierKey(sha256Into, 'a name', peter.publicKey)).toThrow(TypeError);
  });
});

describe('signed notes', () => {
  it('are signed as Go signs them', () => {
    const privateKey = ed25519PrivateKey(decodeBase64(PETER_SEED)!.slice(1));
    expect(rawPublicKey(privateKey)).toEqual(peter.publicKey);
    const signature = signerOf(privateKey)(new TextEncoder().encode(TEXT));
    expect(formatSignedNote(TEXT, [{ name: peter.name, keyId: peter.id, signature }])).toBe(
      `${TEXT}\n${PETER_LINE}`,
    );
  });

  it('are verified by any of the known keys, and by those alone', async () => {
    const check = (lines: string, ...keys: (typeof peter)[]) =>
      verifySignatures(parseSignedNote(`${TEXT}\n${lines}`), keys, verifyEd25519);
    expect(await check(PETER_LINE + ENOCH_LINE, peter)).toEqual({
      valid: true,
      signatures: [{ key: peter }],
    });
    expect(await check(PETER_LINE + PETER_LINE + ENOCH_LINE, peter, enoch)).toEqual({
      valid: true,
      signatures: [{ key: peter }, { key: enoch }],
    });
    expect(await check(PETER_LINE, enoch)).toEqual({ valid: false, reason: 'unsigned' });
    expect(await check(PETER_LINE)).toEqual({ valid: false, reason: 'unsigned' });
    // A known key's signature that fails condemns the note, also beside one that is good.
    const wrong = PETER_LINE.replace('ZJkuBS9', 'ZJkuBS8');
    expect(await check(ENOCH_LINE + wrong, peter, enoch)).toEqual({
      valid: false,
      reason: 'invalid',
      key: peter,
    });
    expect(await check(ENOCH_LINE + wrong, enoch)).toMatchObject({ valid: true });
    // Of another name or another id, the signature is an unknown key's.
    expect(await check(PETER_LINE.replace('PeterNeumann', 'CarmenSandiego'), peter)).toMatchObject({
      reason: 'unsigned',
    });
    expect(await check(PETER_LINE.replace('x08g', 'xxxx'), peter)).toMatchObject({ reason: 'unsigned' });
    // A second key of the same name and id doesn't stand in the way.
    expect(await check(PETER_LINE, { ...peter, publicKey: enoch.publicKey }, peter)).toMatchObject({
      valid: true,
    });
  });

  it('keep empty lines in the text', () => {
    expect(parseSignedNote(`a\n\nb\n\n${PETER_LINE}`)).toMatchObject({
      text: 'a\n\nb\n',
      signatures: [{ name: 'PeterNeumann' }],
    });
  });

  it('are refused where they break the format', () => {
    for (const note of [
      TEXT,
      `${TEXT}\n`,
      `${TEXT}\n${PETER_LINE.slice(0, -1)}`,
      `\u0001${TEXT}\n${PETER_LINE}`,
      `a\rb\n\n${PETER_LINE}`,
      `\ud800${TEXT}\n${PETER_LINE}`,
      `${TEXT}\n${PETER_LINE.replace('PeterNeumann', 'Bad Name')}`,
      `${TEXT}\n${PETER_LINE.replace('PeterNeumann', 'Bad+Name')}`,
      `${TEXT}\n${PETER_LINE.replace('PeterNeumann', 'Bad\u00a0Name')}`,
      `${TEXT}\n${PETER_LINE}Unexpected line.\n`,
      `${TEXT}\n${PETER_LINE.replace('—', '-')}`,
      `${TEXT}\n— PeterNeumann x08go/\n`,
      `${TEXT}\n— PeterNeumann x08go\n`,
      `${TEXT}\n— PeterNeumann x08gow==\n`,
      `${TEXT}\n${PETER_LINE.repeat(101)}`,
    ])
      expect(() => parseSignedNote(note), JSON.stringify(note.slice(0, 200))).toThrow(NoteError);
    expect(() => formatSignedNote('no newline', [])).toThrow(NoteError);
  });
});

const vectors = JSON.parse(readFileSync(new URL('../test/golang-tlog.json', import.meta.url), 'utf8'));
const privateKey = ed25519PrivateKey(decodeBase64(vectors.note.seed)!);
const log = parseVerifierKey(sha256Into, vectors.note.verifierKey)!;

describe('checkpoints', () => {
  it('are those of Go', async () => {
    const checkpoint = parseCheckpoint(vectors.note.signed);
    expect(checkpoint).toMatchObject({ origin: log.name, size: 70_000, extensions: [] });
    expect(encodeBase64(checkpoint.root)).toBe(vectors.roots.at(-1).root);
    expect(await verifySignatures(checkpoint.note, [log], verifyEd25519)).toMatchObject({ valid: true });
    expect(formatVerifierKey(verifierKey(sha256Into, log.name, rawPublicKey(privateKey)))).toBe(
      vectors.note.verifierKey,
    );
    expect(signCheckpoint(checkpoint, log, signerOf(privateKey))).toBe(vectors.note.signed);
  });

  it('are refused where they break the format', () => {
    const root = 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=';
    const parse = (text: string) => parseCheckpoint(`${text}\n${PETER_LINE}`);
    expect(parse(`o\n0\n${root}\n`)).toMatchObject({ origin: 'o', size: 0 });
    expect(parse(`o\n0\n${root}\nmore\n`).extensions).toEqual(['more']);
    for (const text of [
      `o\n0\n`,
      `\n0\n${root}\n`,
      `o\n01\n${root}\n`,
      `o\n-1\n${root}\n`,
      `o\n1e3\n${root}\n`,
      `o\n\n${root}\n`,
      `o\n9007199254740992\n${root}\n`,
      `o\n1\n${root.slice(1)}\n`,
      `o\n1\n${root} \n`,
      `o\n1\n${root.replace('2I=', '2J=')}\n`,
      `o\n1\n${root}\n\nx\n`,
      `o\n1\nAAAA\n`,
    ])
      expect(() => parse(text), JSON.stringify(text)).toThrow(NoteError);
    expect(() => formatTreeHead({ origin: 'a\nb', size: 0, root: new Uint8Array(32) })).toThrow(TypeError);
    expect(() => formatTreeHead({ origin: 'a', size: -1, root: new Uint8Array(32) })).toThrow(RangeError);
    expect(() => formatTreeHead({ origin: 'a', size: 1, root: new Uint8Array(31) })).toThrow(RangeError);
  });

  it('carry the cosignatures of witnesses', async () => {
    const witnessKey = ed25519PrivateKey(new Uint8Array(32).fill(7));
    const witness = verifierKey(sha256Into, 'witness.example/w1', rawPublicKey(witnessKey), COSIGNATURE_V1);
    expect(parseVerifierKey(sha256Into, formatVerifierKey(witness))).toEqual(witness);
    const line = formatSignatureLine(cosign(vectors.note.signed, 1679315147n, witness, signerOf(witnessKey)));
    const { note } = parseCheckpoint(vectors.note.signed + line);
    expect(await verifySignatures(note, [log], verifyEd25519)).toEqual({
      valid: true,
      signatures: [{ key: log }],
    });
    expect(await verifySignatures(note, [log, witness], verifyEd25519)).toEqual({
      valid: true,
      signatures: [{ key: log }, { key: witness, timestamp: 1679315147n }],
    });
    // The time is signed too.
    const at = note.signatures[1]!.signature.slice();
    at[7]! ^= 1;
    const later = { ...note, signatures: [note.signatures[0]!, { ...note.signatures[1]!, signature: at }] };
    expect(await verifySignatures(later, [log, witness], verifyEd25519)).toEqual({
      valid: false,
      reason: 'invalid',
      key: witness,
    });
    expect(() => cosign(vectors.note.signed, 1n, log, signerOf(privateKey))).toThrow(TypeError);
  });

  // c2sp.org/tlog-cosignature (CC BY 4.0): the time in its example of a cosigned checkpoint.
  it('has the time where the specification has it', () => {
    const { note } = parseCheckpoint(
      'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n' +
        '— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n' +
        '— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n',
    );
    expect(note.signatures.map(({ name, keyId }) => [name, formatKeyId(keyId)])).toEqual([
      ['example.com/behind-the-sofa', '033de0ae'],
      ['witness.example.com/w1', '8d66cf3f'],
    ]);
    expect(Buffer.from(note.signatures[1]!.signature).readBigUInt64BE(0)).toBe(1679315147n);
  });
});

describe('origins and keys', () => {
  it('are read and written', () => {
    const origin = { logId: '5f0c3a4e9b7d4c0f8a51d2c6e3b9a870', generation: 12 };
    expect(parseOrigin(formatOrigin(origin))).toEqual(origin);
    for (const text of [
      'bemi/5f0c/1',
      `bemi/${origin.logId}/0`,
      `bemi/${origin.logId}/01`,
      `bemi/${origin.logId.toUpperCase()}/1`,
      `bemi/${origin.logId}/1 `,
    ])
      expect(parseOrigin(text)).toBeUndefined();
    expect(() => formatOrigin({ ...origin, generation: 0 })).toThrow(TypeError);
    expect(rawPublicKey(privateKeyFromPem(privateKeyToPem(privateKey)))).toEqual(log.publicKey);
  });

  it('a rotation is signed by the key before', async () => {
    const next = ed25519PrivateKey(new Uint8Array(32).fill(9));
    const rotation = {
      logId: '5f0c3a4e9b7d4c0f8a51d2c6e3b9a870',
      previous: log.publicKey,
      publicKey: rawPublicKey(next),
    };
    expect(new TextDecoder().decode(rotationStatement(rotation)).split('\n')).toEqual([
      'bemi key rotation v1',
      rotation.logId,
      encodeBase64(rotation.previous),
      encodeBase64(rotation.publicKey),
      '',
    ]);
    const signature = signRotation(rotation, signerOf(privateKey));
    expect(await verifyRotation(rotation, signature, verifyEd25519)).toBe(true);
    expect(
      await verifyRotation({ ...rotation, logId: `${rotation.logId.slice(1)}0` }, signature, verifyEd25519),
    ).toBe(false);
    expect(await verifyRotation(rotation, signRotation(rotation, signerOf(next)), verifyEd25519)).toBe(false);
  });
});

import { expect, test } from 'vitest';
import { keyOfSeed, LOG_ID } from '../test/small-log.ts';
import { parseCheckpoint } from './checkpoint.ts';
import { rawPublicKey, sha256Into, signerOf, verifyEd25519 } from './node-crypto.ts';
import { isReportNote, signReport, verifyReport } from './report-note.ts';
import { verifierKey } from './verifier-key.ts';

const privateKey = keyOfSeed(1);
const keyOf = (generation: number, key = privateKey) =>
  verifierKey(sha256Into, `bemi/${LOG_ID}/${generation}`, rawPublicKey(key));
const documents = [
  { name: 'q4.json', bytes: Buffer.from('{"valid":true}\n') },
  { name: 'q4.md', bytes: Buffer.from('# Whole\n') },
];
const note = signReport(sha256Into, documents, keyOf(2), signerOf(privateKey));

function check(text: string, keys = [keyOf(1)], stored: Record<string, string> = {}) {
  return verifyReport(text, {
    hash: sha256Into,
    verify: verifyEd25519,
    keys,
    read: (name) =>
      name in stored
        ? Buffer.from(stored[name]!)
        : documents.find((document) => document.name === name)?.bytes,
  });
}

test('a report is signed over its documents, by a key of any generation of its log', async () => {
  expect(isReportNote(note)).toBe(true);
  expect(() => parseCheckpoint(note)).toThrow();
  const result = await check(note);
  expect(result).toMatchObject({
    valid: true,
    note: { origin: { logId: LOG_ID, generation: 2 }, documents: [{ name: 'q4.json' }, { name: 'q4.md' }] },
  });
});

test('another key, another document and another text are refused', async () => {
  expect(await check(note, [keyOf(1, keyOfSeed(9))])).toMatchObject({ valid: false, code: 'unknown-key' });
  expect(await check(note, [])).toMatchObject({ valid: false, code: 'unknown-key' });
  expect(await check(note, undefined, { 'q4.md': '# Whole!\n' })).toMatchObject({ code: 'altered' });
  expect(await check(note.replace('q4.md', 'q5.md'))).toMatchObject({ code: 'bad-signature' });
  expect(await check('bemi report v1\n')).toMatchObject({ code: 'malformed' });
  for (const name of ['../q4.md', 'a/b', 'a\\b', '', '..'])
    expect(() =>
      signReport(sha256Into, [{ name, bytes: new Uint8Array(0) }], keyOf(1), signerOf(privateKey)),
    ).toThrow(TypeError);
});

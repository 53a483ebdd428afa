import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openUrl, SealedUrlError, sealUrl, sourceKey } from './sealed-url.ts';

const url = 'postgres://bemi:p%40ss@db.internal:5432/clinic';
const key = randomBytes(32);

test('a sealed URL opens for its own source, with its own key, and for nothing else', () => {
  const sealed = sealUrl(url, key, 'clinic');
  expect(openUrl(sealed, key, 'clinic')).toBe(url);
  expect(sealed.includes('p%40ss')).toBe(false);
  expect(sealUrl(url, key, 'clinic').equals(sealed)).toBe(false);
  expect(() => openUrl(sealed, key, 'clinic2')).toThrow(SealedUrlError);
  expect(() => openUrl(sealed, randomBytes(32), 'clinic')).toThrow(SealedUrlError);
  for (let i = 0; i < sealed.length; i++) {
    const altered = Buffer.from(sealed);
    altered[i]! ^= 1;
    expect(() => openUrl(altered, key, 'clinic'), `byte ${i}`).toThrow(SealedUrlError);
  }
  for (const length of [0, 1, 12, 28, sealed.length - 1])
    expect(() => openUrl(sealed.subarray(0, length), key, 'clinic'), String(length)).toThrow(SealedUrlError);
});

test('the key is derived from BEMI_ENCRYPTION_KEY, else kept in a file that only its owner reads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bemi-kept-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const derived = await sourceKey(key, folder);
  expect(derived).toHaveLength(32);
  expect(derived.equals(key)).toBe(false);
  expect(await sourceKey(key, folder)).toEqual(derived);
  const kept = await Promise.all([1, 2, 3].map(() => sourceKey(undefined, folder)));
  expect(kept[0]).toHaveLength(32);
  expect(kept[1]).toEqual(kept[0]);
  expect(kept[2]).toEqual(kept[0]);
  const file = join(folder, 'source-secret');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 20));
  await expect(sourceKey(undefined, folder)).rejects.toThrow('source-secret is not whole');
});

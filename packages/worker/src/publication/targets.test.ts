import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startFileServer } from '../../test/publication/file-server.ts';
import { type S3StandIn, signatureV4, startS3StandIn } from '../../test/publication/s3-stand-in.ts';
import type { Problem } from '../problem.ts';
import { ProblemError } from '../problem.ts';
import { noteType, type PublicationTarget, tileType } from './publication-target.ts';
import { publicationTarget } from './publication-url.ts';

const tile = { contentType: tileType, isImmutable: true, isRetained: true };
const note = { contentType: noteType, isImmutable: false, isRetained: false };
const bytes = (text: string) => new TextEncoder().encode(text);

const secretAccessKey = 'very/secret+key';
const environment = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_SESSION_TOKEN: 'session-token',
  BEMI_CHECKPOINT_TOKEN: 'bearer-token',
};
const s3Options = {
  bucket: 'the-bucket',
  region: 'eu-central-1',
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey,
  sessionToken: 'session-token',
  hasObjectLock: true,
};

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error('It did not fail');
}

function fileTarget(url: string, given: object = environment): PublicationTarget {
  const target = publicationTarget(url, given);
  if (target.kind !== 'files') throw new Error('A witness holds no files');
  return target;
}

let directory: string;
let s3: S3StandIn;
let files: Awaited<ReturnType<typeof startFileServer>>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'bemi-publication-'));
  s3 = await startS3StandIn(s3Options);
  files = await startFileServer('bearer-token');
});
afterAll(async () => {
  await Promise.all([s3.close(), files.close(), rm(directory, { recursive: true })]);
});

const s3Url = (query = '') => `s3://the-bucket/some/prefix?region=eu-central-1&endpoint=${s3.url}${query}`;

describe.each([
  ['a directory', () => fileTarget(join(directory, 'contract'))],
  ['a bucket', () => fileTarget(s3Url())],
  ['an HTTP endpoint', () => fileTarget(`${files.url}/log`)],
])('%s', (_, make) => {
  it('gives back what it was given, and nothing else', async () => {
    const target = make();
    expect(await target.read('id/1/checkpoint')).toBeUndefined();
    expect(await target.write('id/1/checkpoint', bytes('one'), note)).toBe('written');
    expect(await target.write('id/1/checkpoint', bytes('two'), note)).toBe('written');
    expect(await target.write('id/1/tile/0/x001/234.p/7', bytes('tile'), tile)).toBe('written');
    expect(Buffer.from((await target.read('id/1/checkpoint'))!).toString()).toBe('two');
    expect(Buffer.from((await target.read('id/1/tile/0/x001/234.p/7'))!).toString()).toBe('tile');
    expect(await target.read('id/1/tile/0/x001/234')).toBeUndefined();
    expect(await make().read('id/2/checkpoint')).toBeUndefined();
  });
});

describe('a directory', () => {
  it('is readable for all, writable for its owner, and holds whole files only', async () => {
    const before = process.umask(0o077);
    try {
      const target = fileTarget(join(directory, 'modes'));
      await target.write('a/b/checkpoint', bytes('x'), note);
    } finally {
      process.umask(before);
    }
    const mode = async (path: string) => (await stat(join(directory, 'modes', path))).mode & 0o777;
    expect([await mode('.'), await mode('a'), await mode('a/b')]).toEqual([0o755, 0o755, 0o755]);
    expect(await mode('a/b/checkpoint')).toBe(0o644);
    expect(await readdir(join(directory, 'modes/a/b'))).toEqual(['checkpoint']);
  });

  it('does not rewrite what is immutable', async () => {
    const target = fileTarget(`file://${directory}/immutable`);
    await target.write('tile/0/000', bytes('first'), tile);
    expect(await target.write('tile/0/000', bytes('other'), tile)).toBe('present');
    expect(await readFile(join(directory, 'immutable/tile/0/000'), 'utf8')).toBe('first');
  });

  it('says what is wrong', async () => {
    await writeFile(join(directory, 'a-file'), '');
    const problem = await problemOf(fileTarget(join(directory, 'a-file')).write('x', bytes(''), note));
    expect(problem).toMatchObject({ code: 'publication-directory', kind: 'retry' });
    expect(problem.message).toContain('ENOTDIR');
  });
});

describe('a bucket', () => {
  it('is checked by a signature that AWS published', () => {
    // docs.aws.amazon.com, "Signature Calculations for the Authorization Header", example GET Object.
    const signature = signatureV4({
      method: 'GET',
      path: '/test.txt',
      signedHeaders: ['host', 'range', 'x-amz-content-sha256', 'x-amz-date'],
      headers: {
        host: 'examplebucket.s3.amazonaws.com',
        range: 'bytes=0-9',
        'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
        'x-amz-date': '20130524T000000Z',
      },
      region: 'us-east-1',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    });
    expect(signature).toBe('f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41');
  });

  it('is asked to retain what is to be kept, for so many days', async () => {
    const target = fileTarget(s3Url('&lock=compliance&retainDays=30'));
    await target.write('locked/tile', bytes('x'), tile);
    await target.write('locked/checkpoint', bytes('x'), note);
    const [locked] = s3.versions.get('some/prefix/locked/tile')!;
    expect(locked).toMatchObject({ lockMode: 'COMPLIANCE', contentType: tileType });
    const days = (locked!.retainUntil!.getTime() - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
    expect(s3.versions.get('some/prefix/locked/checkpoint')).toMatchObject([{ lockMode: undefined }]);
  });

  it('says what to do about wrong credentials, and shows none', async () => {
    const cases = [
      [
        { ...environment, AWS_SECRET_ACCESS_KEY: 'wrong-secret' },
        'SignatureDoesNotMatch',
        'AWS_SECRET_ACCESS_KEY',
      ],
      [{ ...environment, AWS_ACCESS_KEY_ID: 'AKIDOTHER' }, 'InvalidAccessKeyId', 'AWS_ACCESS_KEY_ID'],
      [{ ...environment, AWS_SESSION_TOKEN: undefined }, 'InvalidToken', 'AWS_SESSION_TOKEN'],
    ] as const;
    for (const [given, code, fix] of cases) {
      const target = fileTarget(s3Url(), given);
      for (const problem of [
        await problemOf(target.read('x')),
        await problemOf(target.write('x', bytes(''), tile)),
      ]) {
        expect(problem.code).toBe('publication-refused');
        expect(problem.message).toContain(code);
        expect(problem.fix).toContain(fix);
        expect(JSON.stringify(problem)).not.toMatch(/secret\b|AKID|session-token/);
      }
    }
  });

  it('explains region, bucket, lock and permissions', async () => {
    const fixOf = async (url: string) => (await problemOf(fileTarget(url).read('x'))).fix;
    expect(await fixOf(`s3://the-bucket?region=us-east-1&endpoint=${s3.url}`)).toContain('region=');
    expect(await fixOf(`s3://no-bucket?region=eu-central-1&endpoint=${s3.url}`)).toContain('bucket');
    const plain = await startS3StandIn({ ...s3Options, hasObjectLock: false, mayList: false });
    try {
      const url = `s3://the-bucket?region=eu-central-1&endpoint=${plain.url}&lock=governance&retainDays=1`;
      expect(await fixOf(url)).toContain('s3:ListBucket');
      expect((await problemOf(fileTarget(url).write('x', bytes(''), tile))).fix).toContain('Object Lock');
    } finally {
      await plain.close();
    }
  });
});

describe('an HTTP endpoint', () => {
  it('does not rewrite what is immutable, and gets its token', async () => {
    const target = fileTarget(`${files.url}/immutable`);
    await target.write('tile/0/000', bytes('first'), tile);
    expect(await target.write('tile/0/000', bytes('other'), tile)).toBe('present');
    expect(files.files.get('/immutable/tile/0/000')!.toString()).toBe('first');
  });

  it('says what to do about a wrong token, and does not show it', async () => {
    const wrong = await problemOf(
      fileTarget(`${files.url}/log`, { BEMI_CHECKPOINT_TOKEN: 'hunter2' }).read('x'),
    );
    expect(wrong).toMatchObject({ code: 'publication-refused', kind: 'retry' });
    expect(wrong.fix).toContain('the token in BEMI_CHECKPOINT_TOKEN');
    expect(JSON.stringify(wrong)).not.toContain('hunter2');
    const none = await problemOf(fileTarget(`${files.url}/log`, {}).write('x', bytes(''), note));
    expect(none.fix).toContain('It wants a token');
  });

  it('that is gone is unreachable', async () => {
    const problem = await problemOf(fileTarget('http://127.0.0.1:9/log').read('x'));
    expect(problem).toMatchObject({ code: 'publication-unreachable', kind: 'retry' });
    expect(problem.message).toMatch(/127\.0\.0\.1:9\/log can't be reached: \S/);
  });

  it('ends a request when it is stopped', async () => {
    files.delayMs = 5_000;
    try {
      const startMs = performance.now();
      await problemOf(fileTarget(`${files.url}/log`).read('x', AbortSignal.timeout(50)));
      expect(performance.now() - startMs).toBeLessThan(2_000);
    } finally {
      files.delayMs = 0;
    }
  });
});

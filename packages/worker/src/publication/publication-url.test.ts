import { sha256Into } from '@bemi-db/proof/node-crypto';
import { COSIGNATURE_V1, ED25519, formatVerifierKey, verifierKey } from '@bemi-db/proof/verifier-key';
import { describe, expect, it } from 'vitest';
import { ProblemError } from '../problem.ts';
import { publicationTarget, publicationTargets } from './publication-url.ts';

const environment = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'the-secret' };
const key = verifierKey(sha256Into, 'witness.example/w1', new Uint8Array(32).fill(3), COSIGNATURE_V1);
const vkey = formatVerifierKey(key);

function problemOf(url: string, given: object = environment): ProblemError['problem'] {
  try {
    publicationTarget(url, given);
  } catch (error) {
    if (error instanceof ProblemError) return error.problem;
    throw error;
  }
  throw new Error(`${url} was taken`);
}

describe('BEMI_CHECKPOINT_URL', () => {
  it('names targets by their URL', () => {
    const named = publicationTargets(
      `/var/lib/bemi file:///var/lib/b%C3%BCro ./here
       s3://bucket/a/b?region=eu-central-1&lock=compliance&retainDays=2192&interval=60
       s3://bucket?endpoint=https://minio.example:9000 s3://bucket?endpoint=http://127.0.0.1:9000
       https://files.example/log/?interval=5 http://localhost:8080/log
       witness+https://w.example/submit?interval=60#${vkey} witness+http://127.0.0.1:1#${encodeURIComponent(vkey)}`,
      environment,
    ).map(({ kind, name, isOffHost, minIntervalMs }) => [kind, name, isOffHost, minIntervalMs]);
    expect(named).toEqual([
      ['files', '/var/lib/bemi', false, undefined],
      ['files', '/var/lib/büro', false, undefined],
      ['files', `${process.cwd()}/here`, false, undefined],
      ['files', 's3://bucket/a/b', true, 60_000],
      ['files', 's3://bucket at minio.example:9000', true, undefined],
      ['files', 's3://bucket at 127.0.0.1:9000', false, undefined],
      ['files', 'https://files.example/log', true, 5_000],
      ['files', 'http://localhost:8080/log', false, undefined],
      ['witness', 'witness witness.example/w1', true, 60_000],
      ['witness', 'witness witness.example/w1', false, undefined],
    ]);
  });

  it('says where records are published too: nowhere unless it is asked for', () => {
    const hasRecords = (url: string) =>
      publicationTargets(url, environment).map((target) => target.kind === 'files' && target.hasRecords);
    expect(
      hasRecords(
        '/var/lib/bemi file:///var/lib/bemi https://files.example/log s3://bucket?region=x file:///b?records=no',
      ),
    ).toEqual([false, false, false, false, false]);
    expect(
      hasRecords(
        'file:///b?records=yes https://files.example/log?records=yes&interval=5 s3://bucket?records=yes&region=x',
      ),
    ).toEqual([true, true, true]);
  });

  it('says what is wrong with others, and what the forms are', () => {
    const logKey = formatVerifierKey(verifierKey(sha256Into, 'a-log', key.publicKey, ED25519));
    for (const [url, what] of [
      ['', 'neither a path nor a URL'],
      ['ftp://files.example', 'to ftp:'],
      ['file://host/path', 'three slashes'],
      ['file:///path?interval=5', 'unknown parameter'],
      ['file:///path?records=1', 'records is yes or no'],
      ['s3://bucket?region=x&records=on', 'records is yes or no'],
      ['https://', 'not a URL'],
      ['http://files.example/log', 'https://files.example'],
      ['https://files.example/#x', 'fragment'],
      ['s3://B_ucket?region=x', 'name of a bucket'],
      ['s3://bucket/a%20b?region=x', 'prefix'],
      ['s3://bucket/a/../b c?region=x', 'prefix'],
      ['s3://bucket', 's3://bucket?region='],
      ['s3://bucket?region=x&lock=on', 'governance'],
      ['s3://bucket?region=x&lock=governance', 'retainDays'],
      ['s3://bucket?region=x&retainDays=4', 'retainDays'],
      ['s3://bucket?region=x&interval=0', 'interval'],
      ['s3://bucket?endpoint=http://minio.example', 'https://minio.example'],
      ['s3://bucket?endpoint=minio', 'endpoint'],
      ['witness+https://w.example', 'verifier key'],
      [`witness+https://w.example#${vkey.slice(0, -5)}AAAA=`, 'verifier key'],
      [`witness+https://w.example#${logKey}`, 'signature type 4'],
      [`witness+http://w.example#${vkey}`, 'https://w.example'],
    ] as const) {
      const problem = problemOf(url);
      expect(problem.message, url).toContain(what);
      expect(problem).toMatchObject({ code: 'publication-url', kind: 'configuration' });
      expect(problem.fix).toContain('s3://bucket/prefix?region=');
    }
  });

  it('takes no credentials in a URL, and never shows them', () => {
    for (const url of [
      's3://AKIDEXAMPLE:hunter2@bucket?region=x',
      'https://user:hunter2@files.example/log',
      'https//user:hunter2@files.example/log',
      'https:user:hunter2@files.example',
      'https://hunter2@files.example/log',
      `witness+https://user:hunter2@w.example#${vkey}`,
      's3://bucket?endpoint=https://user:hunter2@minio.example',
      'https://files.example/log?sig=hunter2',
      'https://files.example/log?hunter2=1',
      's3://bucket?region=x&X-Amz-Signature=hunter2',
    ]) {
      const problem = problemOf(url);
      expect(JSON.stringify(problem), url).not.toContain('hunter2');
      expect(problem.kind).toBe('configuration');
    }
  });

  it('wants keys for a bucket', () => {
    expect(problemOf('s3://bucket?region=x', { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE' })).toMatchObject({
      code: 'publication-credentials',
      fix: expect.stringContaining('AWS_SECRET_ACCESS_KEY'),
    });
  });
});

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { messageSigner, signMessage } from './authentic-message.ts';

interface SignVector {
  readonly name: string;
  readonly apiKey: string;
  readonly database: string;
  readonly time: string;
  readonly nonce: string;
  readonly message: string;
  readonly content: string;
}

const file = new URL('../../../docs/spec/vectors/authentic-context.json', import.meta.url);
const { sign } = JSON.parse(readFileSync(file, 'utf8')) as { sign: SignVector[] };
const apiKey = sign[0]!.apiKey;

test.each(sign.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
  const { database, nonce, message, content } = vector;
  expect(signMessage(message, vector.apiKey, { database, nonce, time: new Date(vector.time) })).toBe(content);
});

test('each message has a nonce of its own, and the time of now', () => {
  const signer = messageSigner({ apiKey })!;
  const before = Date.now();
  const members = Array.from({ length: 1_000 }, () => {
    const { _bemi: member } = JSON.parse(signer('{"a":1}', 'app')) as { _bemi: Record<string, string> };
    return member;
  });
  expect(new Set(members.map((member) => member['nonce'])).size).toBe(1_000);
  for (const { nonce, time } of members) {
    expect(nonce).toMatch(/^[\w-]{22}$/);
    expect(Date.parse(time!)).toBeGreaterThanOrEqual(before);
    expect(Date.parse(time!)).toBeLessThanOrEqual(Date.now());
  }
});

describe('the key', () => {
  it('is not needed', () => {
    expect(messageSigner({ apiKey: false })).toBeUndefined();
    expect(messageSigner({ apiKey: '' })).toBeUndefined();
  });

  it('comes from the environment, and is read once', async () => {
    const printed = await run(
      `process.env.BEMI_API_KEY = '${apiKey}';
       const first = messageSigner({})('{}', 'app');
       process.env.BEMI_API_KEY = '';
       console.log(first.length === messageSigner({})('{}', 'app').length, messageSigner({ apiKey: false }));`,
    );
    expect(printed.stdout).toBe('true undefined\n');
  });

  it('is warned of once where it is malformed, without being said', async () => {
    const { stdout, stderr } = await run(
      `console.log(messageSigner({}), messageSigner({}), messageSigner({ apiKey: 'bemi_sk_x' }));`,
      { BEMI_API_KEY: `${apiKey}!` },
    );
    expect(stdout).toBe('undefined undefined undefined\n');
    expect(stderr.match(/BEMI_API_KEY_MALFORMED/g)).toHaveLength(1);
    expect(stderr).not.toContain(apiKey);
  });
});

async function run(code: string, environment = {}): Promise<{ stdout: string; stderr: string }> {
  const module = new URL('../dist/authentic-message.js', import.meta.url);
  const script = `import { messageSigner } from '${module}';\n${code}`;
  return await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env['PATH'], ...environment },
  });
}

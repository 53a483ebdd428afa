import { afterEach, expect, test, vi } from 'vitest';
import { environmentFor } from './kept-checkpoints.ts';

afterEach(() => vi.unstubAllEnvs());

test('the token goes to the hosts that are configured, and to no other', () => {
  vi.stubEnv('BEMI_CHECKPOINT_URL', '/var/lib/bemi https://evidence.example/bemi');
  vi.stubEnv('BEMI_CHECKPOINT_TOKEN', 'secret');
  expect(environmentFor('https://evidence.example/other/checkpoint')).toMatchObject({
    BEMI_CHECKPOINT_TOKEN: 'secret',
  });
  for (const url of ['https://auditor.example/bemi', 'https://evidence.example.evil/', 'kept/'])
    expect(environmentFor(url)).not.toHaveProperty('BEMI_CHECKPOINT_TOKEN');
});

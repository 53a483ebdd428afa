import { expect, test } from 'vitest';
import { createTeardown } from './teardown.ts';

test('undoes in reverse, also after a failure, which it then tells', async () => {
  const teardown = createTeardown();
  expect(teardown.isEmpty).toBe(true);
  const undone: string[] = [];
  teardown.add(() => {
    undone.push('first');
  });
  teardown.add(() => Promise.reject(new Error('stuck')));
  teardown.add(async () => {
    undone.push('last');
  });
  await expect(teardown.run()).rejects.toThrow('stuck');
  expect(undone).toEqual(['last', 'first']);
  await teardown.run();
  expect(undone).toHaveLength(2);
});

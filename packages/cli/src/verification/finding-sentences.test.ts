import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

test('every finding is explained in the manual', () => {
  const codes = [...read('./finding-sentences.ts').matchAll(/^ {4}case '([a-z-]+)':/gm)].map(
    (match) => match[1]!,
  );
  expect(codes).toContain('rolled-back');
  const manual = read('../../../../docs/verification.md');
  const notices = /key-replaced|gap-accepted|wal-skipped|checkpoint-given-up|entries-dropped|opaque-entries/;
  for (const code of codes.filter((each) => !notices.test(each))) expect(manual).toContain(`\`${code}\``);
});

import { expect, test } from 'vitest';
import { parseEnvironmentFile, updateEnvironmentFile } from './environment-file.ts';

test('reads what Docker and systemd read', () => {
  const text = '# comment\n\nA=1\nexport B = "two words" \r\nC=postgres://u:p%40@h/db?x=1#y\nnot a line\n';
  expect(parseEnvironmentFile(text)).toEqual([
    { name: 'A', value: '1', line: 3 },
    { name: 'B', value: 'two words', line: 4 },
    { name: 'C', value: 'postgres://u:p%40@h/db?x=1#y', line: 5 },
  ]);
});

test('replaces what is there, keeps the rest, appends what is new', () => {
  expect(updateEnvironmentFile('', { A: '1' })).toBe('A=1\n');
  expect(updateEnvironmentFile('# mine\nA=1\nB=2\n', { A: '3', C: '4' })).toBe('# mine\nA=3\nB=2\nC=4\n');
  const once = updateEnvironmentFile('A=1\n', { A: '2' });
  expect(updateEnvironmentFile(once, { A: '2' })).toBe(once);
});

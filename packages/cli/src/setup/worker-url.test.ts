import { expect, test } from 'vitest';
import { passwordOf, urlAs } from './worker-url.ts';

test('only the credentials change', () => {
  expect(urlAs('postgres://postgres:a%40b@h:5433/app?sslmode=require', 'bemi', 'p@/w')).toBe(
    'postgres://bemi:p%40%2Fw@h:5433/app?sslmode=require',
  );
  expect(urlAs('postgresql://h/app', 'bemi', 'x')).toBe('postgresql://bemi:x@h/app');
  expect(urlAs('postgres:///app?host=/run/postgresql&user=me&password=y', 'bemi', 'x')).toBe(
    'postgres://bemi:x@/app?host=%2Frun%2Fpostgresql',
  );
});

test('finds the password', () => {
  expect(passwordOf('postgres://bemi:p%40w@h/app')).toBe('p@w');
  expect(passwordOf('postgres://bemi@h/app')).toBeUndefined();
  expect(passwordOf('postgres:///app')).toBeUndefined();
});

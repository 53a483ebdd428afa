import { expect, test } from 'vitest';
import { ApiProblem } from '../api-problem.ts';
import { addedConnection } from './added-connection.ts';

test('a connection string says everything itself; Prisma’s and the guide’s parameters are tolerated', () => {
  const { url, target } = addedConnection(
    ' postgres://bemi:p%40ss@db.example:6432/app?replication=database&schema=public&sslmode=require ',
  );
  expect(url).toMatch(/^postgres:.*require$/);
  expect(target).toEqual({ host: 'db.example', port: 6432, database: 'app', role: 'bemi' });
});

test.each([
  ['', 'does not begin with postgres://'],
  ['mysql://u:hush@h/db', 'does not begin with postgres://'],
  ['host=h user=u password=hush', 'does not begin with postgres://'],
  ['postgres://u@h/hush', 'does not name role, password, host and database'],
  ['postgres://:hush@h/db', 'does not name role, password, host and database'],
  ['postgres://u:hush@h', 'does not name role, password, host and database'],
  ['postgres://u:hush@/db', 'URL'],
  ['postgres://u:hush@/db?host=/run/postgresql', 'connection string'],
  ['postgres://u:hush@h/db?host=/run/postgresql', 'has a parameter other than'],
  ['postgres://u:hush@h/db?sslrootcert=/dev/zero', 'has a parameter other than'],
  ['postgres://u:hush@h/db?sslkey=/etc/shadow', 'has a parameter other than'],
  ['postgres://u:hush@h/db?options=-csearch_path%3Dx', 'has a parameter other than'],
  ['postgres://u:hush@h/db?password=other', 'has a parameter other than'],
  ['postgres://u:hush@%2Frun%2Fpostgresql/db', 'socket'],
  ['postgres://u:hu#sh@h/db', 'URL'],
  ['postgres://u:hu?sh@h/db', 'URL'],
  ['postgres://u:hu/sh@h/db', 'URL'],
  ['postgres://u:hush@h/db?sslmode=sometimes', 'sslmode'],
])('%s is refused, and none of it is said', (text, why) => {
  let refusal: unknown;
  try {
    addedConnection(text);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(ApiProblem);
  const { status, message, fix } = refusal as ApiProblem;
  expect(status).toBe(422);
  expect(message.toLowerCase()).toContain(why.toLowerCase());
  expect(`${message} ${fix}`).not.toMatch(/hush|hu[#?/]sh|shadow/);
});

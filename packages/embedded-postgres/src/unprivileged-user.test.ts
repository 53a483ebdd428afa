import { expect, test } from 'vitest';
import { unprivilegedUser } from './unprivileged-user.ts';

const passwd = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n';

test('whoever is not root runs the server as themselves', () => {
  expect(unprivilegedUser(passwd, 1000)).toBeUndefined();
});

test('root hands over to postgres, or else to nobody', () => {
  expect(unprivilegedUser(passwd, 0)).toEqual({ uid: 65534, gid: 65534 });
  expect(unprivilegedUser(`${passwd}postgres:x:101:104::/:/bin/sh\n`, 0)).toEqual({ uid: 101, gid: 104 });
});

test('root on a machine with neither account is told so', () => {
  expect(() => unprivilegedUser('root:x:0:0:root:/root:/bin/sh\n', 0)).toThrow(
    'no account "postgres" or "nobody"',
  );
});

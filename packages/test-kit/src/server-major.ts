import { inject } from 'vitest';

/** The major version of the server that the tests of this project share. */
export function serverMajor(): number {
  return inject('postgresMajor');
}

/** Whether that server's stream has logical messages, and so context. */
export function streamsContext(): boolean {
  return serverMajor() >= 14;
}

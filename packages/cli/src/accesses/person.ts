import { hostname, userInfo } from 'node:os';
import type { AccessPerson } from '@bemi-db/trail/access/access';

/** Who runs this command, as the operating system has it. */
export function personHere(): AccessPerson {
  return { id: userName(), host: hostname() };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`; // in a container nobody may have given it a name
  }
}

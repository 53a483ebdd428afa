import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LastSigned, signedCheckpoints } from '@bemi-db/worker/signing/last-signed';

/** What the workers of a log signed and saw committed, and what they published: out of the audit database's reach. */
export function keptCheckpoints(stateDirectory: string, name: string, logId: string): string[] {
  const { file } = new LastSigned(stateDirectory, name);
  const folder = join(stateDirectory, 'checkpoints', logId, '1');
  const old = join(folder, 'checkpoints');
  const files = [
    join(folder, 'checkpoint'),
    ...(existsSync(old) ? readdirSync(old).map((each) => join(old, each)) : []),
  ];
  return [
    ...signedCheckpoints(readFileSync(file, 'utf8')),
    ...files.filter((each) => existsSync(each)).map((each) => readFileSync(each, 'utf8')),
  ];
}

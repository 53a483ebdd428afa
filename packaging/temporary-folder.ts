import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new folder outside of the repository, where no package of ours is found but what is installed there. */
export function makeTemporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'bemi-packed-'));
  chmodSync(path, 0o755); // for root, whose PostgreSQL runs as another user
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}

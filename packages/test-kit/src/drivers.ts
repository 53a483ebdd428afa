import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Older versions of `pg` that tests run on, by the folder that they are installed in. `pg` is the newest. */
export const olderPgVersions = ['pg-8.11', 'pg-8.14', 'pg-8.16'] as const;

const installed = createRequire(new URL('../drivers/package.json', import.meta.url));

/**
 * The entry of a package in packages/test-kit/drivers, which `npm run test:drivers` installs. Before that: its folder,
 * where whatever asks for it finds nothing, and names it.
 */
export function driverPath(name: string): string {
  try {
    return installed.resolve(name);
  } catch {
    return fileURLToPath(new URL(`../drivers/node_modules/${name}`, import.meta.url));
  }
}

/** A package in packages/test-kit/drivers. */
export function driver<T>(name: string): T {
  return installed(name) as T;
}

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from 'vitest';

/** Files that are loaded with one, by what its lines import, without what is imported only when it is needed. */
function loadedWith(entry: URL): Set<string> {
  const loaded = new Set<string>();
  const load = (path: string): void => {
    if (loaded.has(path)) return;
    loaded.add(path);
    if (!path.includes('/packages/')) return;
    const { resolve } = createRequire(path);
    const text = readFileSync(path, 'utf8');
    for (const [, name] of text.matchAll(
      /^(?:import|export)\s[^;]*?from ['"]((?:\.|@bemi-db\/)[^'"]+)['"];/gm,
    ))
      load(resolve(name!));
  };
  load(entry.pathname);
  return loaded;
}

test('a worker alone does not load what only the dashboard needs', () => {
  const dist = new URL('../../dist/', import.meta.url);
  const inDashboard = /\/dashboard\/dist\/server\/(accounts|routes|create-dashboard)/;
  const ofWorker = [...loadedWith(new URL('recording/run-worker.js', dist))];
  expect(ofWorker.some((path) => path.endsWith('/worker/dist/create-worker.js'))).toBe(true);
  expect(ofWorker.filter((path) => inDashboard.test(path))).toEqual([]);
  const ofDashboard = [...loadedWith(new URL('dashboard/dashboard-site.js', dist))];
  expect(ofDashboard.filter((path) => inDashboard.test(path))).not.toEqual([]);
});

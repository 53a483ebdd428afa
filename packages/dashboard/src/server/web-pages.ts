import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Hono } from 'hono';
import { compress } from 'hono/compress';
import type { DashboardEnvironment } from './guarded-route.ts';

/** What `npm run build:web` makes. The same place from the sources and from what is built of them. */
const folder = fileURLToPath(new URL('../../dist/web/', import.meta.url));

const proofPackage = new URL('.', import.meta.resolve('@bemi-db/proof/package.json'));

const contentTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
};

/** Files of the build by a name that holds their hash; every other address is a page of the one application. */
export function webPages(app: Hono<DashboardEnvironment>): void {
  app.get('/assets/:file{[A-Za-z0-9_.-]+}', compress(), async (c) => {
    const name = c.req.param('file');
    const body = await readFile(`${folder}assets/${name}`).catch(() => undefined);
    if (!body) return c.text('Not found', 404);
    return c.body(new Uint8Array(body), 200, {
      'content-type': contentTypes[extname(name)] ?? 'application/octet-stream',
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });
  // One file that loads nothing and reaches nobody: whoever got a proof checks it here, or saves the page and does it
  // elsewhere. Its own policy lets its one script in, by its hash.
  app.get('/verify', (c) => {
    const page = verifyPage();
    const policy = page && /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(page)?.[1];
    if (!page || !policy) return c.text('The page is not built: npm run build:pages', 503);
    c.header('content-security-policy', `${policy}; frame-ancestors 'none'`);
    return c.html(page, 200, { 'cache-control': 'no-cache' });
  });
  app.get('*', (c) => {
    const isFile = /\.[a-z0-9]+$/i.test(c.req.path) && !c.req.header('accept')?.includes('text/html');
    if (isFile) return c.text('Not found', 404);
    const page = indexPage();
    if (page === undefined) return c.text('The pages are not built: npm run build:pages', 503);
    return c.html(page, 200, { 'cache-control': 'no-cache' });
  });
}

function indexPage(): string | undefined {
  return textOf(`${folder}index.html`);
}

function verifyPage(): string | undefined {
  return textOf(fileURLToPath(new URL('dist/verify.html', proofPackage)));
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

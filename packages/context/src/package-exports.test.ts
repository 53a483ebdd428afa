import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

/** Modules that no application imports. A new module is public unless it is listed here. */
const internal = [
  'context-pipeline',
  'driver-socket',
  'emit-permission',
  'frontend-messages',
  'pg-connection',
  'request-context',
  'sql-text',
  'statement-text',
  'warning',
  'wire-context',
  'wire-message',
  'write-statement',
];

const inPackage = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

it('offers every public module, to import and to require', () => {
  const modules = readdirSync(inPackage('src'))
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => !internal.includes(name));
  const exports = modules.map((name) => [
    name === 'context' ? '.' : `./${name}`,
    {
      require: { types: `./commonjs/dist/${name}.d.ts`, default: `./commonjs/dist/${name}.js` },
      default: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    },
  ]);
  const manifest = JSON.parse(readFileSync(inPackage('package.json'), 'utf8')) as { exports: object };
  expect(manifest.exports).toEqual({
    ...Object.fromEntries(exports),
    './package.json': './package.json',
  });
});

import { readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build, minify } from 'vite';
import { expect, it } from 'vitest';

const MAX_BYTES = { minified: 12_300, compressed: 5_800 };
/** It makes its connections, and reads and writes the protocol by itself. */
const MAX_BYTES_ON_SOCKETS = { minified: 17_000, compressed: 7_500 };
const folder = fileURLToPath(new URL('.', import.meta.url));
const modules = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
const peers = ['pg', '@prisma/adapter-pg'];

/** What a bundler puts into an application that imports a module, and what is left to be imported. */
async function bundled(
  file: string,
): Promise<{ readonly code: string; readonly imports: readonly string[] }> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: `${folder}${file}`, formats: ['es'] },
      rolldownOptions: { external: [/^node:/, ...builtinModules, ...peers] },
    },
  });
  const [result] = [built].flat();
  if (result === undefined || !('output' in result)) throw new Error('Nothing was built.');
  const [chunk, ...more] = result.output;
  if (more.length > 0) throw new Error('It is more than one file.');
  return { code: (await minify(file, chunk.code)).code, imports: chunk.imports };
}

it.each(modules)('%s puts little into an application, and needs nothing but its library', async (file) => {
  const { code, imports } = await bundled(file);
  const { minified, compressed } = file === 'postgres.ts' ? MAX_BYTES_ON_SOCKETS : MAX_BYTES;
  expect(Buffer.byteLength(code)).toBeLessThan(minified);
  expect(gzipSync(code).length).toBeLessThan(compressed);
  expect(imports.filter((name) => !name.startsWith('node:') && !peers.includes(name))).toEqual([]);
});

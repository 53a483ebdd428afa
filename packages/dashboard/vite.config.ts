import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The pages: `npm run build:web` builds them into dist/web, `npx vite` serves them beside a dashboard on port 4000. */
// biome-ignore lint/style/noDefaultExport: Vite reads the default export.
export default defineConfig({
  root: new URL('src/web', import.meta.url).pathname,
  plugins: [react()],
  build: {
    outDir: new URL('dist/web', import.meta.url).pathname,
    emptyOutDir: true,
    target: 'es2022',
    // Browsers that know `light-dark()`: what it is rewritten to for older ones doesn't follow Mantine's choice.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    modulePreload: { polyfill: false },
    license: { fileName: 'licenses.md' },
    // Small pictures too: a policy that allows `data:` for scripts' own pictures is not needed then.
    assetsInlineLimit: 0,
    // The first load has a limit of its own: pages.pg.test.ts.
    chunkSizeWarningLimit: 1_000,
  },
  server: { proxy: { '/api': 'http://127.0.0.1:4000' } },
});

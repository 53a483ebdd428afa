import { fileURLToPath } from 'node:url';

// biome-ignore lint/style/noDefaultExport: Next.js reads the default export.
export default {
  // Packages of this repository are links.
  turbopack: { root: fileURLToPath(new URL('../../../', import.meta.url)) },
  outputFileTracingRoot: fileURLToPath(new URL('../../../', import.meta.url)),
};

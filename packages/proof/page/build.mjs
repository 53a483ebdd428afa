// Builds the page that verifies proofs: one file, dist/verify.html, which may load nothing and reach nobody.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

const [result] = [
  await build({
    root: here('.'),
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    build: {
      write: false,
      target: 'es2022',
      modulePreload: false,
      lib: { entry: here('verify-page.ts'), formats: ['iife'], name: 'verifyPage' },
    },
  }),
].flat();
const script = result.output.find((file) => file.type === 'chunk').code.trim();
if (/<\/script/i.test(script)) throw new Error('The script would end its own element');
const style = readFileSync(here('verify.css'), 'utf8').trim();

const sourceOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const policy = [
  "default-src 'none'",
  `script-src ${sourceOf(script)}`,
  `style-src ${sourceOf(style)}`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
// By functions: a text with $ in it is no pattern.
const html = readFileSync(here('verify.html'), 'utf8')
  .replace('<!--csp-->', () => `<meta http-equiv="Content-Security-Policy" content="${policy}" />`)
  .replace('<!--style-->', () => `<style>${style}</style>`)
  .replace('<!--script-->', () => `<script>${script}</script>`);
mkdirSync(here('../dist'), { recursive: true });
writeFileSync(here('../dist/verify.html'), html);

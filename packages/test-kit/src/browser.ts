import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

/** What tests use of a page of playwright-core. It is in a package of its own, packages/test-kit/browser. */
export interface Page {
  goto(url: string): Promise<unknown>;
  fill(selector: string, text: string): Promise<void>;
  textContent(selector: string): Promise<string | null>;
  getAttribute(selector: string, name: string): Promise<string | null>;
  setInputFiles(selector: string, files: readonly PageFile[]): Promise<void>;
  waitForSelector(selector: string): Promise<unknown>;
  evaluate<T>(script: string): Promise<T>;
  screenshot(options: { readonly path: string; readonly fullPage: boolean }): Promise<unknown>;
  on(event: 'request', listener: (request: { url(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
}

export interface PageFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

interface Playwright {
  readonly chromium: {
    launch(options: object): Promise<{
      newPage(options?: object): Promise<Page>;
      close(): Promise<void>;
    }>;
  };
}

interface ChromiumPackage {
  readonly args: readonly string[];
  executablePath(): Promise<string>;
}

const installed = createRequire(new URL('../browser/package.json', import.meta.url));

/** A page of a headless Chromium, closed when the test ends. `npm run test:browser` installs it. */
export async function openPage(colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const load = async <T>(name: string): Promise<T> =>
    ((await import(pathToFileURL(installed.resolve(name)).href)) as { default: T }).default;
  const { chromium } = await load<Playwright>('playwright-core');
  const packaged = await load<ChromiumPackage>('@sparticuz/chromium');
  const browser = await chromium.launch({
    args: [...packaged.args],
    executablePath: await packaged.executablePath(),
    headless: true,
  });
  onTestFinished(() => browser.close());
  return await browser.newPage({ colorScheme, viewport: { width: 900, height: 1000 } });
}

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

/** What tests use of a page of playwright-core. It is in a package of its own, packages/test-kit/browser. */
export interface Page extends Queries {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  goBack(): Promise<unknown>;
  url(): string;
  waitForURL(url: string | RegExp | ((url: URL) => boolean)): Promise<unknown>;
  fill(selector: string, text: string): Promise<void>;
  click(selector: string): Promise<void>;
  textContent(selector: string): Promise<string | null>;
  getAttribute(selector: string, name: string): Promise<string | null>;
  setInputFiles(selector: string, files: readonly PageFile[]): Promise<void>;
  waitForSelector(selector: string): Promise<unknown>;
  waitForEvent(event: 'download'): Promise<Download>;
  evaluate<T>(script: string): Promise<T>;
  addScriptTag(script: { readonly path: string } | { readonly content: string }): Promise<unknown>;
  screenshot(options: { readonly path: string; readonly fullPage?: boolean }): Promise<unknown>;
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>;
  emulateMedia(options: { readonly colorScheme: 'light' | 'dark' }): Promise<void>;
  readonly keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  readonly mouse: { wheel(x: number, y: number): Promise<void> };
  on(event: 'request', listener: (request: { url(): string }) => void): void;
  on(event: 'pageerror', listener: (error: Error) => void): void;
  on(event: 'console', listener: (message: { type(): string; text(): string }) => void): void;
}

/** How elements are found: by what people and screen readers know them by. */
export interface Queries {
  locator(selector: string): Locator;
  getByRole(role: string, options?: { readonly name?: string | RegExp; readonly exact?: boolean }): Locator;
  getByText(text: string | RegExp, options?: { readonly exact?: boolean }): Locator;
  getByLabel(text: string | RegExp, options?: { readonly exact?: boolean }): Locator;
}

/** An element, found anew each time that it is used; what is done with it waits until it is there. */
export interface Locator extends Queries {
  first(): Locator;
  last(): Locator;
  nth(index: number): Locator;
  count(): Promise<number>;
  click(): Promise<void>;
  hover(): Promise<void>;
  focus(): Promise<void>;
  fill(text: string): Promise<void>;
  press(key: string): Promise<void>;
  check(): Promise<void>;
  textContent(): Promise<string | null>;
  innerText(): Promise<string>;
  allInnerTexts(): Promise<string[]>;
  inputValue(): Promise<string>;
  getAttribute(name: string): Promise<string | null>;
  isVisible(): Promise<boolean>;
  isDisabled(): Promise<boolean>;
  waitFor(options?: { readonly state?: 'attached' | 'detached' | 'visible' | 'hidden' }): Promise<void>;
  scrollIntoViewIfNeeded(): Promise<void>;
}

export interface Download {
  suggestedFilename(): string;
  path(): Promise<string>;
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

export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  /** Default 900 × 1000. */
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A page of a headless Chromium, closed when the test ends. `npm run test:browser` installs it. */
export async function openPage(options: PageOptions = {}): Promise<Page> {
  const { colorScheme = 'light', viewport = { width: 900, height: 1000 } } = options;
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
  return await browser.newPage({ colorScheme, viewport });
}

import { openPage, type Page, type PageOptions } from '@bemi-db/test-kit/browser';

/** A page that remembers what nobody should have to see. */
export interface WatchedPage extends Page {
  /** Errors of scripts and of the console, and what the browser refused to do, a line each. */
  readonly problems: readonly string[];
  /** Addresses of all that the page has asked for. */
  readonly requests: readonly string[];
}

export async function openWatchedPage(options?: PageOptions): Promise<WatchedPage> {
  const page = await openPage(options);
  const problems: string[] = [];
  const requests: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    // A refusal by the content security policy is an error on the console too.
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('request', (request) => requests.push(request.url()));
  return Object.assign(page, { problems, requests });
}

/** How much of what was painted has moved since, by itself: the sum of Chromium's layout shifts. */
export async function layoutShift(page: Page): Promise<number> {
  return await page.evaluate<number>(`new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(sum), 50)));
  })`);
}

/** So many pixels of the page don't fit its width. */
export async function overflow(page: Page): Promise<number> {
  return await page.evaluate<number>(
    'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)',
  );
}

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from '@bemi-db/test-kit/browser';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What axe finds wrong with a page as it stands, a line each: the rule, and where. Our policy lets no script in, so it comes by the debugger. */
export async function axeFindings(page: Page): Promise<string[]> {
  await page.evaluate(`${await readFile(axePath, 'utf8')}; undefined`);
  return await page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
       nodes.map(({ target }) => id + ': ' + help + ' at ' + target.join(' '))))`,
  );
}

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from '@bemi-db/test-kit/browser';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * Waits until a page has come to rest: a menu or a dialog that is half gone is pale, and still in its place.
 * Mantine takes two frames until a transition shows, and unmounts what has faded by a timer: so nothing moves and
 * nothing changes in a row of frames. What never ends (a loader) is not waited for, nor is anything for longer than 5 s.
 */
async function untilAtRest(page: Page): Promise<void> {
  await page.evaluate(`new Promise((resolve) => {
    const isMoving = () => document.getAnimations().some((animation) =>
      animation.playState === 'running' && animation.effect?.getComputedTiming().endTime !== Infinity);
    const deadline = performance.now() + 5000;
    let quiet = 0;
    const changes = new MutationObserver(() => { quiet = 0; });
    changes.observe(document, { subtree: true, childList: true, attributes: true });
    const look = () => {
      quiet = isMoving() ? 0 : quiet + 1;
      if (quiet < 5 && performance.now() < deadline) return requestAnimationFrame(look);
      changes.disconnect();
      resolve();
    };
    requestAnimationFrame(look);
  })`);
}

/** What axe finds wrong with a page when it has come to rest, a line each: the rule, and where. Our policy lets no script in, so it comes by the debugger. */
export async function axeFindings(page: Page): Promise<string[]> {
  await untilAtRest(page);
  await page.evaluate(`${await readFile(axePath, 'utf8')}; undefined`);
  return await page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.flatMap(({ id, help, nodes }) =>
       nodes.map(({ target }) => id + ': ' + help + ' at ' + target.join(' '))))`,
  );
}

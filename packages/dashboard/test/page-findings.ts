import { axeFindings } from './axe.ts';
import { takeShot } from './take-shot.ts';
import { overflow, type WatchedPage } from './watched-page.ts';

const looks = [
  { name: 'light', colorScheme: 'light', width: 1200 },
  { name: 'dark', colorScheme: 'dark', width: 1200 },
  { name: 'phone', colorScheme: 'light', width: 360 },
] as const;

/**
 * What is wrong with a page as it stands, in every look. Takes a picture of each.
 *
 * @param isWhole - pictures of all of it, however long it is.
 */
export async function pageFindings(page: WatchedPage, shot: string, isWhole = true): Promise<string[]> {
  const found: string[] = [];
  for (const { name, colorScheme, width } of looks) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme });
    const wider = await overflow(page);
    if (wider > 0) found.push(`${shot} in ${name} is ${wider} pixels too wide`);
    for (const finding of await axeFindings(page)) found.push(`${shot} in ${name}: ${finding}`);
    await takeShot(page, `${shot}-${name}`, isWhole);
  }
  await page.setViewportSize({ width: 1200, height: 900 });
  await page.emulateMedia({ colorScheme: 'light' });
  return found;
}

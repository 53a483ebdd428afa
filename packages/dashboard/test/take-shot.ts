import { mkdir, readFile, writeFile } from 'node:fs/promises';
import type { Page } from '@bemi-db/test-kit/browser';
import { smallPng } from './small-png.ts';

const mostBytes = 150_000;

/** A picture of the page in the folder that `SHOTS` names; nothing where it names none. */
export async function takeShot(page: Page, name: string, fullPage = false): Promise<void> {
  const folder = process.env['SHOTS'];
  if (folder === undefined) return;
  await mkdir(folder, { recursive: true });
  const path = `${folder}/${name}.png`;
  await page.screenshot({ path, fullPage });
  const small = smallPng(await readFile(path));
  await writeFile(path, small);
  if (small.length > mostBytes) throw new Error(`${path} has ${small.length} bytes`);
}

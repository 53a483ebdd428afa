import { openPage } from '@bemi-db/test-kit/browser';
import { expect, test } from 'vitest';
import { axeFindings } from './axe.ts';

/** As Mantine closes a menu: some frames later it fades, and when it has faded a timer takes it away. */
const closing = `
  const menu = document.querySelector('p');
  requestAnimationFrame(() => requestAnimationFrame(() => {
    menu.style.opacity = '0.05';
    setTimeout(() => menu.remove(), 400);
  }));`;

test('what is closing is not looked at before it is gone, and what never ends is not waited for', async () => {
  const page = await openPage();
  await page.goto(
    `data:text/html,${encodeURIComponent(`<!doctype html><html lang="en"><title>A menu</title>
       <style>p { transition: opacity 400ms linear } i { animation: turn 1s linear infinite }
         @keyframes turn { to { transform: rotate(360deg) } }</style>
       <main><h1>A page <i>…</i></h1><p>Sign out</p></main></html>`)}`,
  );
  expect(await axeFindings(page)).toEqual([]);
  await page.evaluate(closing);
  expect(await axeFindings(page)).toEqual([]);
  await page.evaluate(`document.querySelector('main').innerHTML += '<p style="opacity: 0.05">Sign in</p>'`);
  expect(await axeFindings(page)).toEqual([expect.stringMatching(/^color-contrast: .* at p$/)]);
});

import { existsSync } from 'node:fs';
import { openPage, type Page, type PageFile } from '@bemi-db/test-kit/browser';
import { expect, test } from 'vitest';
import { makeEntryProof } from '../src/entry-proof.ts';
import { rawPublicKey, sha256Into, signerOf } from '../src/node-crypto.ts';
import { signReport } from '../src/report-note.ts';
import { formatVerifierKey, verifierKey } from '../src/verifier-key.ts';
import { partOf, SmallLog } from '../test/small-log.ts';

const built = new URL('../dist/verify.html', import.meta.url);
const shots = process.env['BEMI_SCREENSHOTS'];

/** The page as it is built, opened from a file. It asks for nothing but itself. */
async function opened(colorScheme?: 'light' | 'dark'): Promise<{ page: Page; log: SmallLog }> {
  if (!existsSync(built)) throw new Error('The page is not built: npm run build');
  const tab = await openPage(colorScheme && { colorScheme });
  const requests: string[] = [];
  tab.on('request', (request) => requests.push(request.url()));
  tab.on('pageerror', (error) => expect.unreachable(error.message));
  await tab.goto(built.href);
  expect(requests).toEqual([built.href]);
  return { page: tab, log: SmallLog.start() };
}

/** A change with its context, in a log of some tiles. */
async function proofOf(log: SmallLog): Promise<{ proof: string; checkpoint: string }> {
  const change = log.transaction(3);
  log.transaction(300);
  const checkpoint = log.sign();
  const parts = {
    entry: partOf(log, change),
    commit: partOf(log, change + 3),
    context: partOf(log, change - 1),
    relation: partOf(log, 2),
    created: partOf(log, 0),
  };
  return { proof: await makeEntryProof(sha256Into, parts, checkpoint, log.reader), checkpoint };
}

function file(name: string, text: string): PageFile {
  return { name, mimeType: 'application/json', buffer: Buffer.from(text) };
}

async function resultOf(
  tab: Page,
  ...files: readonly PageFile[]
): Promise<{ kind: string | null; text: string }> {
  await tab.evaluate("document.querySelector('#results').replaceChildren()");
  await tab.setInputFiles('#files', files);
  await tab.waitForSelector('#results > *');
  return {
    kind: await tab.getAttribute('#results > *', 'class'),
    text: (await tab.textContent('#results')) ?? '',
  };
}

async function shoot(tab: Page, name: string): Promise<void> {
  if (shots !== undefined) await tab.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
}

test('a proof is verified in a page from a file, which reaches nobody', async () => {
  const { page, log } = await opened();
  const { proof, checkpoint } = await proofOf(log);
  expect((await resultOf(page, file('entry.json', proof))).text).toContain('Nothing is checked yet');
  expect(await page.textContent('#key-error')).toContain("Paste the log's key");
  await page.fill('#key', formatVerifierKey(log.key));
  await page.waitForSelector('article');
  const good = await resultOf(page, file('entry.json', proof));
  expect(good.kind).toBe('good');
  expect(good.text).toMatch(/✓ Proven: entry \d+, INSERT on public\.patients.*"userId":"u0".*signed by/s);
  await shoot(page, 'good');
  expect((await resultOf(page, file('entry.json', proof), file('kept', checkpoint))).kind).toBe('good');
  log.transaction(2);
  const other = await resultOf(page, file('entry.json', proof), file('kept', log.sign()));
  expect(other).toMatchObject({
    kind: 'bad',
    text: expect.stringContaining('The checkpoint that was kept has size'),
  });

  for (const [name, text, message] of [
    ['altered', proof.replaceAll('u0', 'u9'), 'not those that entry'],
    ['another key', proof.replace(/— bemi\S+ \S+/g, (line) => line.slice(0, -6).concat('AAAA==')), ''],
    ['no proof', '{"a":1}', 'no proof of Bemi'],
    ['markup', '<img src=x onerror=alert(1)>', 'not JSON'],
  ] as const) {
    const bad = await resultOf(page, file(`<b>${name}</b>.json`, text));
    expect(bad.kind, name).toBe('bad');
    expect(bad.text, name).toContain(message);
    expect(bad.text, name).toContain(`<b>${name}</b>.json`);
  }
  await shoot(page, 'bad');
  await page.fill('#key', `${formatVerifierKey(log.key)}x`);
  expect(await page.textContent('#key-error')).toContain('no verifier key');
  expect(await page.getAttribute('#key', 'aria-invalid')).toBe('true');
  // Its own policy stops whatever might be smuggled into it.
  const reached = await page.evaluate<string>(
    "fetch('https://example.com/').then(() => 'reached', () => 'stopped')",
  );
  expect(reached).toBe('stopped');
});

test('a report is verified with its documents', async () => {
  const { page, log } = await opened('dark');
  const documents = [{ name: 'q4.json', bytes: Buffer.from('{}') }];
  const key = verifierKey(sha256Into, log.key.name, rawPublicKey(log.privateKey));
  const note = file('q4.note', signReport(sha256Into, documents, key, signerOf(log.privateKey)));
  await page.fill('#key', formatVerifierKey(log.key));
  const good = await resultOf(page, note, file('q4.json', '{}'));
  expect(good).toMatchObject({ kind: 'good', text: expect.stringContaining('q4.json, unaltered') });
  await shoot(page, 'report');
  expect(await resultOf(page, note)).toMatchObject({
    kind: 'bad',
    text: expect.stringContaining('not beside'),
  });
  const bad = await resultOf(page, note, file('q4.json', '{ }'));
  expect(bad).toMatchObject({
    kind: 'bad',
    text: expect.stringContaining('not the document that was signed'),
  });
});

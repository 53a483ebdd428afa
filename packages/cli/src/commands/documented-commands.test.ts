import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { expect, test } from 'vitest';

const docs = fileURLToPath(new URL('../../../../docs/', import.meta.url));
const guides = fileURLToPath(new URL('../../../worker/test/guides/', import.meta.url));

/** Headings of a text, down to the third level, outside of its code. */
function headings(text: string): string[] {
  const withoutCode = text.replace(/^```.*?^```/gms, '');
  return [...withoutCode.matchAll(/^#{1,3} (.*)$/gm)].map(([, heading]) => heading!);
}

test('the guides’ headings are there, verbatim and in their order', () => {
  const ours = headings(readFileSync(`${docs}guide.md`, 'utf8'));
  const theirs = ['004.md', '000.md'].flatMap((name) => headings(readFileSync(guides + name, 'utf8')));
  expect(theirs.length).toBeGreaterThan(30);
  expect(ours.slice(1)).toEqual(theirs);
});

async function programCommands(): Promise<Map<string, Command>> {
  const folder = fileURLToPath(new URL('./', import.meta.url));
  const files = readdirSync(folder).filter((name) => name.endsWith('-command.ts'));
  const modules = await Promise.all(
    files.map((name) => import(/* @vite-ignore */ folder + name) as Promise<Record<string, () => Command>>),
  );
  const commands = modules.flatMap((module) =>
    Object.entries(module).flatMap(([name, make]) => (name.endsWith('Command') ? [make()] : [])),
  );
  return new Map(commands.map((command) => [command.name(), command]));
}

/** What a manual tells to type, without what the shell does with it. */
function commandsIn(text: string): string[] {
  const inCode = [...text.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!);
  const lines = [...text.matchAll(/^(?: {4}|\$ )(.+)$/gm)].map(([, line]) => line!);
  return [...inCode, ...lines].flatMap((code) => {
    const command = /^(?:npx )?bemi ([^|>#;]+)/.exec(code)?.[1];
    return command === undefined ? [] : [command.replace(/ {2,}.*$/, '').trim()];
  });
}

test.each(['guide.md', 'errors.md', 'doctor.md', 'gaps.md', 'setup.md'])(
  'each command in docs/%s exists, with its flags',
  async (name) => {
    const commands = await programCommands();
    const texts = commandsIn(readFileSync(docs + name, 'utf8'));
    expect(texts.length).toBeGreaterThan(0);
    const wrong = texts.filter((text) => {
      const words = text.split(' ');
      const found: Command[] = [];
      for (const word of words) {
        const inner =
          found.length === 0
            ? commands.get(word)
            : found.at(-1)!.commands.find((each) => each.name() === word);
        if (!inner) break;
        found.push(inner);
      }
      const known = new Set(
        found.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])),
      );
      return (
        found.length === 0 ||
        words.some((word) => /^--?[a-z]/.test(word) && word !== '--help' && !known.has(word))
      );
    });
    expect(wrong).toEqual([]);
  },
);

import { readFileSync } from 'node:fs';

/** A fenced block of a guide, as it stands there. */
export interface GuideBlock {
  /** The nearest heading above it. */
  readonly heading: string;
  /** The last line of prose before it, such as `**Verify**:`. */
  readonly lead: string;
  readonly language: string;
  readonly text: string;
}

/** Every fenced block of a set-up guide, in its order. */
export function guideBlocks(guide: '000' | '004'): readonly GuideBlock[] {
  const lines = readFileSync(new URL(`${guide}.md`, import.meta.url), 'utf8').split('\n');
  const blocks: GuideBlock[] = [];
  let [heading, lead] = ['', ''];
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!;
    if (line.startsWith('#')) [heading, lead] = [line.replace(/^#+ /, ''), ''];
    else if (line.startsWith('```')) {
      const end = lines.indexOf('```', at + 1);
      blocks.push({ heading, lead, language: line.slice(3), text: lines.slice(at + 1, end).join('\n') });
      at = end;
    } else if (line.trim() !== '') lead = line;
  }
  return blocks;
}

export function sqlBlocks(guide: '000' | '004'): readonly GuideBlock[] {
  return guideBlocks(guide).filter(({ language }) => language === 'sql');
}

/** What a person types of a block: not the lines that connect, and names and passwords in place of `[username]` and so on. */
export function typed(block: GuideBlock, names: Readonly<Record<string, string>> = {}): string {
  return block.text
    .replaceAll(/^psql .*$/gm, '')
    .replaceAll(/\[(\w+)\]/g, (placeholder, name: string) => names[name] ?? placeholder);
}

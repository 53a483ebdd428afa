import type { Running } from './run-bemi.ts';

/** The link that makes the first admin, as the terminal shows it. */
export async function firstAdminLink({ child }: Running): Promise<URL> {
  let said = '';
  for await (const piece of child.stderr.iterator({ destroyOnReturn: false })) {
    said += String(piece);
    const link = /^ {4}(http:\S+)$/m.exec(said)?.[1];
    if (link !== undefined) return new URL(link);
  }
  throw new Error(`It printed no link: ${said}`);
}

import { printNote } from '../output/print.ts';

/** On the terminal and nowhere else: whoever has the link becomes the admin. */
export function sayFirstAdminLink(url: string, expiresAt: Date): void {
  const until = expiresAt.toISOString().slice(0, 16).replace('T', ' ');
  printNote(
    `\nNobody may sign in to the dashboard yet. This link makes the first admin, once, until ${until} UTC:\n\n    ${url}\n`,
  );
}

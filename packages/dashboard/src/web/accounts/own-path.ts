/** Where to go after signing in: a page of ours, whatever the address bar was made to say. */
export function ownPath(next: string | undefined): string {
  if (next === undefined || !next.startsWith('/')) return '/';
  const origin = 'http://localhost';
  const url = URL.canParse(next, origin) ? new URL(next, origin) : undefined;
  if (!url || url.origin !== origin || url.pathname.startsWith('//')) return '/';
  return `${url.pathname}${url.search}${url.hash}`;
}

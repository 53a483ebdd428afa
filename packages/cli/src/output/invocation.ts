/** How the reader calls this program: `bemi`, or `npx bemi` where it was called so. For commands to copy. */
export function invocation(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['npm_command'] === 'exec' ? 'npx bemi' : 'bemi';
}

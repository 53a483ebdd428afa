/** `12,345`. Takes text, so that no digit is lost. */
export function countText(count: string | number): string {
  return BigInt(count).toLocaleString('en-US');
}

/** `1 change`, `2 changes`. */
export function countedText(count: string | number, noun: string, plural = `${noun}s`): string {
  return `${countText(count)} ${BigInt(count) === 1n ? noun : plural}`;
}

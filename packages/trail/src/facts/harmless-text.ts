// What a terminal acts on instead of showing it: C0 and C1 controls (ESC begins every ANSI sequence), line and
// paragraph separators, marks that are invisible, and those that change the direction of the text around them.
const harmful = /[\p{Cc}\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]|\p{Cs}/gu;

/** The text with everything in it that could drive the terminal written as an escape: data is shown, not obeyed. */
export function harmless(text: string): string {
  return text.replaceAll(harmful, (character) => {
    switch (character) {
      case '\n':
        return '\\n';
      case '\r':
        return '\\r';
      case '\t':
        return '\\t';
      default:
        return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
    }
  });
}

/** At most so many characters, the last an ellipsis where something was cut. The quotes of a JSON string stay. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  const characters = [...text];
  if (characters.length <= most) return text;
  const isQuoted = text.startsWith('"') && text.endsWith('"');
  const kept = characters.slice(0, Math.max(most - (isQuoted ? 2 : 1), 1)).join('');
  return isQuoted ? `${kept}…"` : `${kept}…`;
}

/** Two texts shortened so that where they begin to differ is seen. */
export function shortenedPair(a: string, b: string, most: number): [string, string] {
  if (a.length <= most && b.length <= most) return [a, b];
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  const lead = Math.floor(most / 4);
  if (same <= most / 2) return [shortened(a, most), shortened(b, most)];
  const from = same - lead;
  return [tail(a, from, most), tail(b, from, most)];
}

function tail(text: string, from: number, most: number): string {
  const quote = text.startsWith('"') ? '"' : '';
  return `${quote}…${shortened(text.slice(from), most - 2)}`;
}

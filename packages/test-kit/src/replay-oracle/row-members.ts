/** A row as its columns' values, each the text that `jsonb` printed: no number passes through JavaScript. */
export type RowMembers = Readonly<Record<string, string>>;

/**
 * The members of an object as `jsonb` prints it: `{"a": 1, "b": "x"}`, with one space after each colon and comma, none
 * elsewhere.
 */
export function rowMembers(text: string): RowMembers {
  const members: Record<string, string> = {};
  let at = 1;
  while (text[at] === '"') {
    const nameEnd = stringEnd(text, at);
    const valueStart = nameEnd + 2;
    const end = valueEnd(text, valueStart);
    members[JSON.parse(text.slice(at, nameEnd)) as string] = text.slice(valueStart, end);
    at = end + 2;
  }
  return members;
}

/** The same again, with the columns in one order, to be compared. */
export function membersText(members: RowMembers): string {
  const names = Object.keys(members).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}: ${members[name]}`).join(', ')}}`;
}

function stringEnd(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function valueEnd(text: string, start: number): number {
  let depth = 0;
  let at = start;
  for (;;) {
    const character = text[at];
    if (character === '"') {
      at = stringEnd(text, at);
      continue;
    }
    if (depth === 0 && (character === ',' || character === '}')) return at;
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    at++;
  }
}

/** A member of a JSON object: its name, and its value as it is written. */
export interface JsonMember {
  readonly name: string;
  /** JSON text, exact: a number beyond 2^53 keeps its digits. */
  readonly value: string;
}

/**
 * Splits the text of a JSON object into its members, in their order, without reading the values. Of a text that is no
 * JSON object it returns what it can make of it.
 */
export function jsonMembers(json: string): JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipSpace(json, json.indexOf('{') + 1);
  while (json[at] === '"') {
    const nameEnd = stringEnd(json, at);
    const name = JSON.parse(json.slice(at, nameEnd)) as string;
    const start = skipSpace(json, json.indexOf(':', nameEnd) + 1);
    const end = valueEnd(json, start);
    members.push({ name, value: json.slice(start, end).trimEnd() });
    at = json[end] === ',' ? skipSpace(json, end + 1) : json.length;
  }
  return members;
}

/** The text that a JSON string stands for; other values as they are written. */
export function plainText(value: string): string {
  return value.startsWith('"') ? (JSON.parse(value) as string) : value;
}

function skipSpace(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\r\n'.includes(json[at]!)) at++;
  return at;
}

/** Position after the string that begins at `start`. */
function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** Position of the comma or brace after the value that begins at `start`. */
function valueEnd(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const character = json[at];
    if (character === '"') {
      at = stringEnd(json, at);
      continue;
    }
    if (character === '{' || character === '[') depth++;
    else if (depth === 0 && (character === ',' || character === '}')) return at;
    else if (character === '}' || character === ']') depth--;
    at++;
  }
  return at;
}

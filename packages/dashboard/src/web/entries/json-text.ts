/** Whether a JSON text is an object or a list, which is shown on lines of its own. */
export function isStructure(json: string): boolean {
  return /^[[{]/.test(json.trimStart());
}

/**
 * JSON text with a member or an item a line. It moves white space only: numbers keep every digit, and members stay where
 * they are.
 */
export function indentedJson(json: string): string {
  let text = '';
  let depth = 0;
  const line = (): string => `\n${'  '.repeat(depth)}`;
  for (let at = 0; at < json.length; at++) {
    const character = json[at]!;
    switch (character) {
      case '"': {
        const end = stringEnd(json, at);
        text += json.slice(at, end);
        at = end - 1;
        break;
      }
      case '{':
      case '[': {
        const next = nextMeaning(json, at + 1);
        const closing = character === '{' ? '}' : ']';
        if (json[next] === closing) {
          text += character + closing;
          at = next;
        } else {
          depth++;
          text += character + line();
        }
        break;
      }
      case '}':
      case ']':
        depth = Math.max(depth - 1, 0);
        text += line() + character;
        break;
      case ',':
        text += character + line();
        break;
      case ':':
        text += ': ';
        break;
      case ' ':
      case '\t':
      case '\r':
      case '\n':
        break;
      default:
        text += character;
    }
  }
  return text;
}

function nextMeaning(json: string, from: number): number {
  let at = from;
  while (at < json.length && ' \t\r\n'.includes(json[at]!)) at++;
  return at;
}

function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (at < json.length && json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

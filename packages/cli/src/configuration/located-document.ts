import { LineCounter, parseDocument } from 'yaml';
import { type CliError, configurationError } from '../cli-error.ts';

/** The members and positions that lead to a place in a document. */
export type DocumentPath = readonly (string | number)[];

/** A YAML or JSON file that was read, and where in it things are. */
export interface LocatedDocument {
  readonly value: unknown;
  /** `file:line:column` of what a path leads to: of a member its name, of an element the element. */
  place(path: DocumentPath): string;
}

const mostAliases = 100;

/**
 * Reads YAML, and so JSON.
 *
 * @param name - of the file, for people.
 * @throws CliError with the place of what is wrong.
 */
export function parseLocatedDocument(text: string, name: string): LocatedDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const placeOf = (offset: number): string => {
    const { line, col } = lineCounter.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error) throw notReadable(`${placeOf(error.pos[0])}: ${error.message}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: mostAliases });
  } catch (cause) {
    throw notReadable(`${name}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return { value, place: (path) => placeOf(offsetOf(document.contents, path)) };
}

function notReadable(message: string): CliError {
  return configurationError(message, 'Correct it: the file is YAML, or JSON.');
}

/** A node of the tree that `yaml` makes, as far as it is looked at here. */
interface Node {
  readonly range?: readonly [number, number, number] | null;
  readonly items?: readonly (Node | Pair)[];
}

interface Pair {
  readonly key?: Node & { readonly value?: unknown };
  readonly value?: Node | null;
}

/** Of what is missing, the place of what it is missing from. */
function offsetOf(contents: unknown, path: DocumentPath): number {
  let node = contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const step of path) {
    const items = node?.items;
    if (typeof step === 'number') {
      node = (items?.[step] as Node | undefined) ?? null;
      offset = node?.range?.[0] ?? offset;
    } else {
      const pair = items?.find((item): item is Pair => 'key' in item && String(item.key?.value) === step);
      offset = pair?.key?.range?.[0] ?? offset;
      node = pair?.value ?? null;
    }
    if (!node) break;
  }
  return offset;
}

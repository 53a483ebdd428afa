/** Variables of a file of `NAME=value` lines, as Docker's env_file and systemd's EnvironmentFile read it. */
export interface FileVariable {
  readonly name: string;
  readonly value: string;
  /** From 1. */
  readonly line: number;
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;

/** Reads such a file. Blank lines and comments are passed over; quotes around a value are taken off. */
export function parseEnvironmentFile(text: string): FileVariable[] {
  return text.split(/\r?\n/).flatMap((line, i) => {
    const match = assignment.exec(line);
    return match ? [{ name: match[1]!, value: unquote(match[2]!), line: i + 1 }] : [];
  });
}

/** The file with these variables set, everything else in it left as it is. New ones come at its end. */
export function updateEnvironmentFile(text: string, variables: Readonly<Record<string, string>>): string {
  const left = new Map(Object.entries(variables));
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  const updated = lines.map((line) => {
    const name = assignment.exec(line)?.[1];
    const value = name === undefined ? undefined : left.get(name);
    if (name === undefined || value === undefined) return line;
    left.delete(name);
    return `${name}=${value}`;
  });
  return [...updated, ...[...left].map(([name, value]) => `${name}=${value}`), ''].join('\n');
}

function unquote(value: string): string {
  const match = /^(["'])(.*)\1$/.exec(value);
  return match ? match[2]! : value;
}

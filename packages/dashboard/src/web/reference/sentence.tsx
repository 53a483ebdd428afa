import { Code } from '@mantine/core';

/** A description, with what is in backticks as code. */
export function Sentence({ text }: { readonly text: string }) {
  let at = 0;
  return text.split('`').map((part, index) => {
    const key = at;
    at += part.length + 1;
    return index % 2 === 1 ? <Code key={key}>{part}</Code> : <span key={key}>{part}</span>;
  });
}

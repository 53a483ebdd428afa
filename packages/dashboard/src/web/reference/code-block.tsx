import { ActionIcon } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { copyText } from '../elements/copy-text.ts';

const shownMs = 2_000;

/** Code to take along. It scrolls by itself where it is wide, also by keyboard. */
export function CodeBlock({ code, name }: { readonly code: string; readonly name: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), shownMs);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <div className="code-block">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls has to be reached by keyboard. */}
      <section tabIndex={0} aria-label={name} className="code-scroll">
        <pre>{code}</pre>
      </section>
      <ActionIcon
        variant="default"
        size="sm"
        aria-label={isCopied ? 'Copied' : `Copy ${name}`}
        onClick={() => void copyText(code).then(() => setCopied(true))}
      >
        {isCopied ? <IconCheck size={14} aria-hidden /> : <IconCopy size={14} aria-hidden />}
      </ActionIcon>
    </div>
  );
}

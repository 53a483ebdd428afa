import { useEffect, useRef, useSyncExternalStore } from 'react';

/** What a key does on the page that is shown. */
export interface KeyBinding {
  /** As of `KeyboardEvent.key`; `g l` is one after the other. */
  readonly key: string;
  /** Said in the list of keys: `Search the text`. */
  readonly does: string;
  run(event: KeyboardEvent): void;
}

interface KeyGroup {
  readonly title: string;
  readonly bindings: readonly KeyBinding[];
}

const groups = new Map<symbol, KeyGroup>();
const listeners = new Set<() => void>();
let shown: readonly KeyGroup[] = [];
let leader: { readonly key: string; readonly at: number } | undefined;
const leaderMs = 1_500;

/**
 * Keys that work while the component is there. They are in the list of keys (`?`), and rest while somebody types or a
 * dialog is open.
 */
export function useKeys(title: string, bindings: readonly KeyBinding[]): void {
  const current = useRef(bindings);
  current.current = bindings;
  // What keys do may change with every rendering; the list of them only with their names.
  const names = bindings.map(({ key, does }) => `${key}\t${does}`).join('\n');
  useEffect(() => {
    const id = Symbol(title);
    const stable = names === '' ? [] : names.split('\n').map((line, index) => namedBinding(line, index));
    groups.set(id, { title, bindings: stable });
    changed();
    return () => {
      groups.delete(id);
      changed();
    };

    function namedBinding(line: string, index: number): KeyBinding {
      const [key = '', does = ''] = line.split('\t');
      return { key, does, run: (event) => current.current[index]?.run(event) };
    }
  }, [title, names]);
}

/** The keys that work now, for the list of them. */
export function useKeyGroups(): readonly KeyGroup[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => shown,
  );
}

/** Listens to the whole page, until the returned function is called. */
export function listenToKeys(): () => void {
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}

function changed(): void {
  shown = [...groups.values()];
  for (const listener of listeners) listener();
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTaken(event.target)) return;
  const isSecond = leader !== undefined && event.timeStamp - leader.at < leaderMs;
  const sequence = isSecond ? `${leader!.key} ${event.key}` : event.key;
  leader = undefined;
  const all = [...groups.values()].flatMap(({ bindings }) => bindings);
  // The one that came last is the nearest to what is shown.
  const binding = all.findLast(({ key }) => key === sequence) ?? all.findLast(({ key }) => key === event.key);
  if (binding) {
    event.preventDefault();
    binding.run(event);
  } else if (all.some(({ key }) => key.startsWith(`${event.key} `))) {
    leader = { key: event.key, at: event.timeStamp };
  }
}

/** Whoever types, or looks at a dialog or a menu, doesn't mean the page. */
function isTaken(target: EventTarget | null): boolean {
  return (
    target instanceof Element &&
    (target.closest('input:not([type=checkbox],[type=radio],[type=range]), textarea, select') !== null ||
      target.closest('[contenteditable=true], [role=dialog], [role=menu], [role=listbox]') !== null)
  );
}
